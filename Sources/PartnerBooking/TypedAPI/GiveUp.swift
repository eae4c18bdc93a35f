/// A request to give up bookings in doubt.
struct GiveUpRequest {
    enum Selection {
        case booking(key: String)
        case bookings(botID: String, startBefore: String)
    }

    var selection: Selection
    var options: CallOptions

    init(_ selection: Selection, _ options: CallOptions) {
        self.selection = selection
        self.options = options
    }

    var json: [UInt8] {
        JSONWriter.object { request in
            request.member("give_up", true)
            switch selection {
            case .booking(let key): request.member("idempotency_key", key)
            case .bookings(let botID, let startBefore):
                request.member("bot_id", botID)
                request.member("start_before", startBefore)
            }
            options.write(&request)
        }
    }
}

/// The reply to a request to give up bookings.
public struct GiveUpReply: Sendable, Equatable {
    /// The bookings that were given up. Their keys are free.
    public let givenUp: [PendingBooking]
    /// The selected bookings that are not in doubt. They stay as they are.
    public let kept: [PendingBooking]
    /// False when the journal did not record this. The bookings may then be listed again after a
    /// restart.
    public let isJournaled: Bool

    init(json: [UInt8]) {
        let root = (try? JSONDocument(json, profile: .reply))?.root
        givenUp = root?["given_up"]?.elements.compactMap(PendingBooking.init) ?? []
        kept = root?["kept"]?.elements.compactMap(PendingBooking.init) ?? []
        isJournaled = root?["journaled"]?.boolean ?? true
    }
}
