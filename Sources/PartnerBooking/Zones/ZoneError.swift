/// The reason why a time zone cannot be used. A caller of the library sees it as `unknown_time_zone`.
struct ZoneError: Error, Equatable {
    /// One sentence for a log: what is wrong and what was found.
    let message: String

    init(_ message: String) { self.message = message }

    /// Puts the place where it was found in front.
    func at(_ place: String) -> ZoneError { ZoneError("\(place): \(message)") }
}
