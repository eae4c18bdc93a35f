extension Zone {
    /// Returns the zone with this IANA name.
    static func named(_ name: String) throws(PartnerBookingError) -> Zone {
        do throws(ZoneError) {
            return try ZoneCache.shared.zone(name)
        } catch {
            throw .unknownTimeZone(ErrorMessage.timeZone(error.message))
        }
    }
}
