extension Zone {
    /// Returns the zone of a name.
    static func named(_ name: String) throws(PartnerBookingError) -> Zone {
        do throws(ZoneError) {
            return try ZoneCache.shared.zone(name)
        } catch {
            throw .unknownTimeZone(ErrorMessage.timeZone(error.message))
        }
    }
}
