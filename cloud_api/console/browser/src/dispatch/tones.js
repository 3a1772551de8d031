// A colour of the theme as the map's canvas takes it.
export const colour = (tone) => getComputedStyle(document.documentElement).getPropertyValue(`--tblr-${tone}`).trim() || tone;
