extension VoiceLocale {
    /// Reads the member `locale` of the functions for words. Without it: American English.
    @inline(never)
    static func read(_ root: ObjectReader) throws(PartnerBookingError) -> VoiceLocale {
        var locale: VoiceLocale?
        try root.checkOptionalText("locale", maxBytes: 16, "en-US, en-GB, es or fr") { name in
            locale = VoiceLocale(String(decoding: name, as: UTF8.self))
            return locale != nil
        }
        return locale ?? .americanEnglish
    }
}
