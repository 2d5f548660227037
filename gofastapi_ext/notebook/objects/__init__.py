"""Objects of the kernel as files of a bundle: `%%deploy NAME --with model,df`."""
