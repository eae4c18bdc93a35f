// The input is a line with a region, one with a locale, and a phone number as somebody said or wrote it.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPhone(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    checkReply(to: input)
    let parts = input.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let locale = VoiceLocale(Array(parts[1]).text) else { return -1 }
    let (region, text) = (Array(parts[0]).text, Array(parts[2]).text)
    // Where a number was said decides about its prefixes, so it is read in several places.
    for region in [region, nil, "US", "GB", "IT"] { check(text, region, locale) }
    return 0
}

/// The whole input as a request.
private func checkReply(to input: [UInt8]) {
    do throws(PartnerBookingError) {
        let reply = try PhoneNumber.reply(json: input)
        let root = required((try? JSONDocument(reply, profile: .reply))?.root, "a reply is JSON: \(reply.text)")
        require(root["phone"]?.kind == .string && root["groups"]?.kind == .array, "a reply is complete: \(reply.text)")
    } catch {
        requireUsable(error, of: input)
    }
}

private func check(_ text: String, _ region: String?, _ locale: VoiceLocale) {
    guard let phone = read(text, region, locale) else { return }
    let digits = Array(phone.e164.utf8)
    require(digits.withUnsafeBytes(FieldRules.isPhone), "a number is E.164: \(phone.e164)")
    let words = phone.words.unicodeScalars
    require(
        words.allSatisfy { $0.properties.isAlphabetic || $0 == " " || $0 == "," }, "words have no digits: \(phone.words)")
    let written = phone.groups.joined()
    require(written.hasPrefix("+") ? written == phone.e164 : phone.e164.hasSuffix(suffix(of: written)), "groups: \(written)")
    require((1...8).contains(phone.extensionDigits?.utf8.count ?? 1), "an extension is short")
    require(read(phone.e164, nil, locale)?.e164 == phone.e164, "E.164 is read everywhere: \(phone.e164)")
    // A few national numbers also begin like prefixes; then the words are refused, and never another number.
    if let back = read(phone.words, region, locale) { require(back == phone, "words come back: \(phone.words)") }
    if phone.extensionDigits == nil, let back = read(phone.groups.joined(separator: " "), region, locale) {
        require(back == phone, "groups come back: \(phone.groups)")
    }
}

/// The last digits of a national number, which every way to write it has.
private func suffix(of national: String) -> String { String(national.suffix(max(1, national.utf8.count - 2))) }

private func read(_ text: String, _ region: String?, _ locale: VoiceLocale) -> PhoneNumber? {
    do throws(PartnerBookingError) {
        return try PhoneNumber(text, region: region, locale: locale)
    } catch {
        requireUsable(error, of: Array(text.utf8))
        if let problem = error.phoneProblem {
            let isLength = problem.reason == .tooShort || problem.reason == .tooLong
            require(isLength == (problem.digitsHeard != nil && problem.digitsWanted != nil), "lengths have counts")
            let difference = (problem.digitsHeard ?? 0) - (problem.digitsWanted ?? 0)
            require(problem.reason != .tooShort || difference < 0, "too short is shorter")
            require(problem.reason != .tooLong || difference > 0, "too long is longer")
        }
        return nil
    }
}
