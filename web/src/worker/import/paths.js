// Paths inside archives and folders, made harmless: they only name things here, nothing is ever written under them.

/** Without '.', '..', drives and empty parts; '\' as '/'. @param {string} path */
export function cleanPath(path) {
  const parts = path
    .split(/[\\/]/)
    .filter((part) => part !== '' && part !== '.' && part !== '..' && !/^[a-z]:$/i.test(part));
  return parts.join('/') || 'file';
}

/** What systems leave behind in folders and archives. @param {string} path  clean */
export function isJunk(path) {
  return path.split('/').some((part) => /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i.test(part));
}

/** @param {string} path */
export function hasPictureSuffix(path) {
  return /\.(png|jpe?g|webp|gif|bmp)$/i.test(path);
}
