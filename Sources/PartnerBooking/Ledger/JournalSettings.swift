// Settings and reports of a journal.

extension Journal {
    struct Settings: Sendable {
        /// The path of the file, or of its directory.
        var path: String
        var isInDirectory = false
        var service: String
        var retentionMilliseconds: Int
        /// The size in bytes that new bookings must not exceed.
        var maxBytes = 268_435_456
        /// False: the replies of the service stay in memory only.
        var keepsReplies = true
        /// False: a booking may have been sent, without a record, after a record that it was
        /// not made. So such a record does not count.
        var isRequired = true
        /// Number of bookings in doubt that are taken over from other journals at one time.
        var mostDoubts = 512
        /// With this many bookings in doubt or in flight, none are taken over.
        var mostUnsettled = 2_500
    }

    struct Opening: Sendable {
        var tornBytes = 0
        var damagedBytes = 0
        /// The path of the copy of a damaged file.
        var damagedCopy: String?
        /// The other journals of the directory. nil without a directory.
        var others: Others?
    }

    struct Others: Sendable {
        /// Number of adopted journals.
        var adoptedCount = 0
        /// Files that were left unchanged, with the reason.
        var left: [(path: String, reason: String)] = []
    }

    /// The result of a record that an exchange waits for.
    struct Report: Sendable {
        enum Result: Sendable {
            case durable
            /// `isUndone`: nothing of the record is left in the file.
            case failed(String, isUndone: Bool)
        }

        let id: TransferID
        let record: JournalRecord
        let result: Result
    }
}
