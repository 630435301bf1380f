/// Programs that fetch a page to draw a preview of its link in a message or a post.
enum PreviewWords {
    static let all: [(StaticString, String)] = [
        ("facebookexternalhit", "facebookexternalhit"), ("facebookcatalog", "facebookcatalog"),
        ("meta-externalfetcher", "meta-externalfetcher"), ("facebot", "Facebot"),
        ("slackbot-linkexpanding", "Slackbot-LinkExpanding"), ("slack-imgproxy", "Slack-ImgProxy"),
        ("slackbot", "Slackbot"), ("twitterbot", "Twitterbot"), ("telegrambot", "TelegramBot"),
        ("whatsapp", "WhatsApp"), ("discordbot", "Discordbot"), ("linkedinbot", "LinkedInBot"),
        ("skypeuripreview", "SkypeUriPreview"), ("redditbot", "redditbot"),
        ("pinterestbot", "Pinterestbot"), ("vkshare", "vkShare"), ("iframely", "Iframely"),
        ("embedly", "Embedly"), ("viberbot", "ViberBot"), ("viberlinkpreview", "Viber"),
        ("kakaotalk-scrap", "kakaotalk-scrap"),
        ("line-poker", "line-poker"), ("linebot", "LineBot"), ("bitlybot", "bitlybot"),
        ("bufferbot", "BufferBot"), ("mastodon", "Mastodon"), ("tumblr", "Tumblr"),
        ("outbrain", "Outbrain"), ("flipboardproxy", "FlipboardProxy"), ("nuzzel", "Nuzzel"),
        ("xing-contenttabreceiver", "XING"), ("quora-bot", "Quora-Bot"),
        ("w3c_validator", "W3C_Validator"), ("microsoftpreview", "MicrosoftPreview"),
        ("msteamsbot", "MSTeamsBot"), ("bluesky", "Bluesky"), ("cardyb", "Bluesky Cardyb"),
        ("synapse", "Synapse"), ("zoombot", "Zoombot"), ("signal-desktop", "Signal"),
        ("googlemessages", "Google Messages"), ("googleimageproxy", "GmailImageProxy"),
        ("yahoomailproxy", "YahooMailProxy"), ("bingpreview", "BingPreview"),
        ("googlewebpreview", "Google Web Preview"),
    ]
}
