@echo off
rem Set up what is needed, then run the tests and the style check: runtests.bat [options for pytest]
setlocal
cd /d "%~dp0" || exit /b 1

rem The first Python that is new enough: that of an active environment, then the one that the launcher finds.
set "start="
python -c "import sys; sys.exit(sys.version_info < (3, 8))" >nul 2>&1 && set "start=python"
if not defined start (
    py -3 -c "import sys; sys.exit(sys.version_info < (3, 8))" >nul 2>&1 && set "start=py -3"
)
if not defined start (
    echo Python 3.8 or newer is needed, but none was found. Install it from python.org.
    exit /b 1
)
set "python="
for /f "usebackq delims=" %%p in (`%start% environment.py`) do set "python=%%p"
if not defined python exit /b 1

rem Small matrices are fastest on one thread, above all on a machine that others use too.
set OMP_NUM_THREADS=1
set OPENBLAS_NUM_THREADS=1
set MKL_NUM_THREADS=1

"%python%" -m pycodestyle --max-line-length 120 .
set style=%errorlevel%
"%python%" -m pytest %*
set tests=%errorlevel%

set "tests_said=all passed"
if not %tests%==0 set "tests_said=FAILED (see above)"
set "style_said=clean"
if not %style%==0 set "style_said=FAILED (see the top)"
echo Tests: %tests_said%. Code style: %style_said%.
if not %tests%==0 exit /b 1
if not %style%==0 exit /b 1
exit /b 0
