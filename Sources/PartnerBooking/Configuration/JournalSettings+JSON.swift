extension Journal.Settings {
    /// The members that `read` reads.
    static let members = ["journal_max_bytes", "journal_keeps_replies"] as [StaticString]

    /// Reads the members about the journal's file. A missing member keeps its default.
    mutating func read(_ root: ObjectReader) throws(PartnerBookingError) {
        maxBytes = try root.optionalInteger("journal_max_bytes", in: 1_048_576...1_073_741_824) ?? maxBytes
        keepsReplies = try root.optionalBoolean("journal_keeps_replies") ?? keepsReplies
    }
}
