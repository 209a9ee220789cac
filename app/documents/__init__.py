"""Results → paper documents and explanations, words through i18n; shared with head office."""
