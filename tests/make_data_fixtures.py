"""One small set of pictures, written by NumPy, by SciPy and as text: fixtures/{npy,mat,csv,import}/ and fixtures/digits/.

Whatever wrote it, the reader must find the set that fixtures/digits/*-ubyte hold as IDX. Needs python3-numpy and
python3-scipy (Debian's names). Run without arguments it writes the fixtures; with a folder of MNIST as IDX and another
folder it writes all of MNIST in the same formats into that:

    python3 tests/make_data_fixtures.py
    python3 tests/make_data_fixtures.py build/data/mnist build/formats
"""

import pathlib
import struct
import sys
import zipfile
import zlib

import numpy
import scipy.io

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def read_idx(path):
    data = path.read_bytes()
    shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(shape)


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.tobytes())


def write_csv(path, images, labels):
    """As Kaggle has it: label,pixel0,...,pixel783."""
    rows = numpy.column_stack([labels, images.reshape(len(images), -1)])
    header = ",".join(["label"] + [f"pixel{i}" for i in range(rows.shape[1] - 1)])
    numpy.savetxt(path, rows, "%d", ",", header=header, comments="")


def png(picture):
    """Grey, 8 bits, no filter."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_zip(path, parts):
    """One folder for each class: train/7/00012.png."""
    with zipfile.ZipFile(path, "w") as archive:
        for part, (images, labels) in parts.items():
            for i, (picture, label) in enumerate(zip(images, labels)):
                archive.writestr(zipfile.ZipInfo(f"{part}/{label}/{i:05}.png"), png(picture))


def save_mat(path, variables, **options):
    """Without the time of day that the header begins with."""
    scipy.io.savemat(path, variables, **options)
    data = bytearray(path.read_bytes())
    if data.startswith(b"MATLAB"):
        data[:116] = b"MATLAB 5.0 MAT-file, written by SciPy".ljust(116)
    path.write_bytes(data)


def by_parts(x_train, y_train, x_test, y_test):
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def write_formats(folder, x_train, y_train, x_test, y_test):
    numpy.savez_compressed(folder / "digits.npz", **by_parts(x_train, y_train, x_test, y_test))
    save_mat(folder / "digits.mat", by_parts(x_train, y_train, x_test, y_test), do_compression=True)
    write_zip(folder / "digits.zip", {"train": (x_train, y_train), "test": (x_test, y_test)})
    write_csv(folder / "train.csv", x_train, y_train)
    write_csv(folder / "test.csv", x_test, y_test)


def make_digits():
    """Ten pictures of 8x8 to train on, one of each class, and four to test on, of which one was trained on."""
    random = numpy.random.default_rng(1)
    images = random.integers(0, 256, (14, 8, 8), numpy.uint8)
    labels = numpy.array([3, 1, 4, 0, 5, 9, 2, 6, 8, 7, 3, 5, 8, 9], numpy.uint8)
    images[11] = images[4]
    return images[:10], labels[:10], images[10:], labels[10:]


def write_npy(folder, x, y):
    for name in ["u1", "<i2", ">i4", "<i8", "<f2", ">f4", "<f8", "<u2", ">u8"]:
        plain = name.strip("<>")
        numpy.save(folder / f"x_{plain}.npy", x.astype(name))
    numpy.save(folder / "x_fortran.npy", numpy.asfortranarray(x))
    numpy.save(folder / "x_planes.npy", numpy.stack([x, x, x], 1))
    numpy.save(folder / "x_flat.npy", x.reshape(len(x), -1))
    numpy.save(folder / "x_bool.npy", x > 127)
    numpy.save(folder / "y.npy", y.astype(numpy.int64))
    numpy.save(folder / "y_column.npy", y[:, None])
    numpy.save(folder / "y_onehot.npy", numpy.eye(10)[y])


def write_mat(folder, x, y):
    both = {"x": x, "y": y}
    save_mat(folder / "numpy.mat", both)
    save_mat(folder / "numpy-compressed.mat", both, do_compression=True)
    ten_is_zero = numpy.where(y == 0, 10, y)[:, None]
    doubles = x.transpose(1, 2, 0).astype(float)
    save_mat(folder / "matlab.mat", {"X": doubles, "y": ten_is_zero.astype(float)})
    save_mat(folder / "from-one.mat", {"X": doubles, "gnd": y[:, None] // 2 + 1.0})
    colour = numpy.stack([x, x, x], 3).transpose(1, 2, 3, 0)
    save_mat(folder / "svhn_32x32.mat", {"X": colour, "y": ten_is_zero}, do_compression=True)
    save_mat(folder / "one-hot.mat", {"data": x.reshape(len(x), -1).T, "labels": numpy.eye(10)[y].T})
    save_mat(folder / "struct.mat", {"dataset": {"train": {"images": x.reshape(len(x), -1), "labels": y[:, None]}}})
    cells = numpy.empty(len(x), object)
    for i, picture in enumerate(x):
        cells[i] = picture
    save_mat(folder / "cells.mat", {"pictures": cells, "labels": y, "about": "one picture in each cell"})
    save_mat(folder / "version-4.mat", {"x": x.reshape(len(x), -1), "y": y[:, None], "about": "old"}, format="4")


def write_tables(folder, x, y):
    write_csv(folder / "kaggle.csv", x, y)
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    lines = ["\t".join(['"' + names[label] + '"'] + [str(v) for v in row]) for label, row in zip(y, x.reshape(len(x), -1))]
    (folder / "names.tsv").write_text("\r\n".join(lines) + "\r\n")
    iris = "5.1,3.5,1.4,0.2,Iris-setosa\n7,3.2,4.7,1.4,Iris-versicolor\n6.3,3.3,6e0,2.5,Iris-virginica\n"
    (folder / "iris.csv").write_text(iris)
    quoted = 'id;"a ""number""";class\n1;-1.5e-3;"x; y"\n2;"2";z\n'
    (folder / "quoted.csv").write_text(quoted)


def write_imports(folder):
    """Seeds for fuzz_import: name, end of line, length, bytes, and again."""

    def pack(*files):
        return b"".join(name.encode() + b"\n" + struct.pack(">H", len(data)) + data for name, data in files)

    digits = sorted((FIXTURES / "digits").glob("*-ubyte"))
    (folder / "mnist").write_bytes(pack(*((path.name, path.read_bytes()) for path in digits)))
    batch = bytes([3]) + bytes(range(256)) * 12
    cifar = [("data_batch_2.bin", batch), ("data_batch_1.bin", batch), ("test_batch.bin", batch)]
    names = ("batches.meta.txt", b"\n".join(b"abcdefghij"[i : i + 1] for i in range(10)))
    (folder / "cifar").write_bytes(pack(names, *cifar))
    grey, colour = bytes([2, 3, 1, 9, 8, 7]), bytes([5, 4, 3, 1, 2, 3, 4])
    pictures = [("pets/train/cat/1.picture", grey), ("pets/train/dog/2.picture", colour), ("pets/test/dog/3.picture", grey)]
    (folder / "folders").write_bytes(pack(*pictures))
    lists = [("train_files.txt", b"a/1.picture.png\n"), ("train_labels.txt", b"7\n"), ("test_files.txt", b"2.picture.png\nx.png")]
    listed = [("set/a/1.picture.png", grey), ("set/a/2.picture.png", colour), ("set/a/3.picture.png", colour)]
    (folder / "lists").write_bytes(pack(*lists, *listed))
    tables = [("train.csv", b"label,a,b\ncat,1,2\ndog,3,4\n"), ("test.csv", b"label,a,b\ndog,1.5,2\n")]
    (folder / "tables").write_bytes(pack(*tables))


def main():
    if len(sys.argv) == 3:
        source, folder = map(pathlib.Path, sys.argv[1:])
        names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]
        folder.mkdir(parents=True, exist_ok=True)
        write_formats(folder, *(read_idx(source / f"{name}-ubyte") for name in names))
        return
    x_train, y_train, x_test, y_test = make_digits()
    for name in ["digits", "npy", "mat", "csv", "import"]:
        (FIXTURES / name).mkdir(exist_ok=True)
    write_idx(FIXTURES / "digits/train-images-idx3-ubyte", x_train)
    write_idx(FIXTURES / "digits/train-labels-idx1-ubyte", y_train)
    write_idx(FIXTURES / "digits/t10k-images-idx3-ubyte", x_test)
    write_idx(FIXTURES / "digits/t10k-labels-idx1-ubyte", y_test)
    write_formats(FIXTURES / "digits", x_train, y_train, x_test, y_test)
    write_npy(FIXTURES / "npy", x_train, y_train)
    write_mat(FIXTURES / "mat", x_train, y_train)
    write_tables(FIXTURES / "csv", x_train, y_train)
    write_imports(FIXTURES / "import")


main()
