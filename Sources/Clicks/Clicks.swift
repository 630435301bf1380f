// Clicks
