"""A student's lib/plot_images.py of sheet 6."""
import matplotlib.pyplot as plt


def plot_data(data, rows=5, cols=4, plot_border=True, title=""):
    fig, axes = plt.subplots(rows, cols, squeeze=False)
    for ax, image in zip(axes.ravel(), data):
        ax.imshow(image.transpose(1, 2, 0), cmap="gray")
        if not plot_border:
            ax.axis("off")
    fig.suptitle(title)
    plt.show()
