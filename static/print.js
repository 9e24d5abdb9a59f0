/** Print one picture of a page. The browser can save it as a PDF, in which lines and text stay sharp at any size. */

/**
 * Open the browser's print dialog for one picture, on a sheet of the picture's size. The dialog suggests `name` as the file name.
 * @param {string} name @param {Blob | string} svg a picture, or its address
 */
export async function printPicture(name, svg) {
  const address = typeof svg === "string" ? svg : URL.createObjectURL(svg);
  const image = new Image();
  image.src = address;
  await image.decode();
  const sheet = document.createElement("style");
  const { naturalWidth: width, naturalHeight: height } = image;
  sheet.textContent = `
    .printed-picture { display: none; }
    @media print {
      @page { size: ${width}px ${height}px; margin: 0; }
      html, body { margin: 0 !important; padding: 0 !important; background: none !important; }
      body > :not(.printed-picture) { display: none !important; }
      .printed-picture { display: block; width: ${width}px; height: ${height - 1}px; }
    }`;
  image.className = "printed-picture";
  const title = document.title;
  addEventListener(
    "afterprint",
    () => {
      image.remove();
      sheet.remove();
      document.title = title;
      if (address !== svg) URL.revokeObjectURL(address);
    },
    { once: true },
  );
  document.body.append(sheet, image);
  document.title = name;
  print();
}
