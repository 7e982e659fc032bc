/**
 * Saves bytes as a file, as if a link to it had been clicked.
 * @param {string} name
 * @param {BlobPart} bytes
 */
export function download(name, bytes) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a browser may still be writing it
}
