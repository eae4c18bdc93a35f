// Settings and reports of a journal.

extension Journal {
    struct Settings: Sendable {
        /// The file, or the directory of it.
        var path: String
        var isInDirectory = false
        /// The service of the bookings.
        var service: String
        var retentionMilliseconds: Int
        /// A larger file takes no new bookings.
        var maxBytes = 268_435_456
        /// False: what a service has answered stays in the memory.
        var keepsReplies = true
        /// False: a booking may have been sent again behind a record that it was not made. That
        /// record counts for nothing.
        var isRequired = true
        /// Bookings in doubt that are taken over from other journals at one time.
        var mostDoubts = 512
        /// With so many bookings in doubt or in flight, none are taken over.
        var mostUnsettled = 2_500
    }

    /// The findings of the opening.
    struct Opening: Sendable {
        var tornBytes = 0
        var damagedBytes = 0
        /// The path of the copy of a damaged file.
        var damagedCopy: String?
        /// The fate of the other journals; nil without a directory.
        var others: Others?
    }

    /// The other journals of a directory.
    struct Others: Sendable {
        /// The number of those that were adopted.
        var adoptedCount = 0
        /// Files that are left as they are, with the reason.
        var left: [(path: String, reason: String)] = []
    }

    /// The fate of a record whose end is waited for.
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
