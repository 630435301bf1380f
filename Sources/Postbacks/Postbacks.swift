// Postbacks
