// What a journal is told, and what it reports.

extension Journal {
    struct Settings: Sendable {
        /// The file, or the directory of it.
        var path: String
        var isInDirectory = false
        /// Whose bookings these are.
        var service: String
        var retentionMilliseconds: Int
        /// A larger file takes no new bookings.
        var maxBytes = 268_435_456
        /// False: what a service has answered stays in the memory.
        var keepsReplies = true
        /// False: a booking may have been sent again behind a record that it was not made. That record counts for nothing.
        var isRequired = true
        /// Bookings in doubt that are taken over from other journals at one time.
        var mostDoubts = 512
        /// With so many bookings in doubt or in flight, none are taken over.
        var mostUnsettled = 2_500
    }

    /// What was found when the journal was opened.
    struct Opening: Sendable {
        var tornBytes = 0
        var damagedBytes = 0
        /// Where the damaged file is kept.
        var damagedCopy: String?
        /// What became of the other journals; nil without a directory.
        var others: Others?
    }

    /// The other journals of a directory.
    struct Others: Sendable {
        /// How many were adopted.
        var adoptedCount = 0
        /// Files that are left as they are, with the reason.
        var left: [(path: String, reason: String)] = []
    }

    /// What became of a record whose end is waited for.
    struct Report: Sendable {
        enum Result: Sendable {
            case durable
            /// `isUndone`: nothing of it is left in the file.
            case failed(String, isUndone: Bool)
        }

        let id: TransferID
        let record: JournalRecord
        let result: Result
    }
}
