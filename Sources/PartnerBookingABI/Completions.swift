// `pbk_completion`: the result of a submitted call, laid out for C.
import CPartnerBooking
import Glibc
import PartnerBooking

/// The object behind a `pbk_completion *`.
///
/// `@unchecked Sendable` is safe because only `timingText` changes, and only under a lock.
final class CompletionBox: @unchecked Sendable {
    fileprivate let ticket: pbk_ticket
    fileprivate let context: UInt
    fileprivate let event: pbk_event
    fileprivate let operation: pbk_operation
    fileprivate let status: pbk_status
    fileprivate let outcome: pbk_outcome
    fileprivate let tag: CText?
    fileprivate let key: CText?
    fileprivate let reply: CText?
    fileprivate let receipt: Receipt?
    private let timing: CallTiming
    private var timingText: CText?
    /// One lock for all boxes is enough: few hosts ask for the timing, and none holds the lock
    /// for long.
    ///
    /// The lock contains a value that nobody uses. A field without a size has the object's own
    /// address. ThreadSanitizer would then take each lock for a write to the object's header.
    private static let timingLock: Monitor<Bool> = {
        pthread_atfork(
            { CompletionBox.timingLock.lockForFork() }, { CompletionBox.timingLock.unlockAfterFork(inChild: false) },
            { CompletionBox.timingLock.unlockAfterFork(inChild: true) })
        return Monitor(false)
    }()

    /// Creates a box. The owner of the pointer owns the box until `pbk_completion_free`.
    static func make(_ completion: CallCompletion, context: UInt) -> OpaquePointer {
        OpaquePointer(Unmanaged.passRetained(CompletionBox(completion, context)).toOpaque())
    }

    /// Registers the fork handlers of the lock. See `Handles.prepareForForks`.
    static func prepareForForks() { _ = timingLock }

    private init(_ completion: CallCompletion, _ context: UInt) {
        ticket = completion.ticket?.rawValue ?? 0
        self.context = context
        operation = pbk_operation(completion.kind)
        tag = completion.tag.flatMap { CText(Array($0.utf8)) }
        key = completion.idempotencyKey.flatMap { CText(Array($0.utf8)) }
        timing = completion.timing
        receipt = completion.receipt
        let status: pbk_status
        var outcome = PBK_OUTCOME_NONE
        switch completion.event {
        case .slow:
            event = PBK_EVENT_SLOW
            status = PBK_OK
            reply = nil
        case .done(let result), .settled(let result):
            if case .done = completion.event { event = PBK_EVENT_DONE } else { event = PBK_EVENT_SETTLED }
            switch result {
            case .success(let json):
                status = PBK_OK
                reply = CText(json)
            case .failure(let error):
                status = error.pbkStatus
                outcome = error.pbkOutcome
                reply = CText(error.json)
            }
        }
        self.outcome = outcome
        self.status = event != PBK_EVENT_SLOW && reply == nil ? PBK_RESOURCE_UNAVAILABLE : status
    }

    /// Returns the timing as JSON. Written on demand: it takes longer than all other fields.
    fileprivate func timingJSON() -> UnsafePointer<CChar>? {
        Self.timingLock.withLock { _ in
            if timingText == nil { timingText = CText(timing.json) }
            return timingText.map { UnsafePointer($0.start) }
        }
    }

    fileprivate static func at(_ pointer: OpaquePointer?) -> CompletionBox? {
        pointer.map { Unmanaged<CompletionBox>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }
}

/// A C string with its length. `@unchecked Sendable` is safe because it is written once,
/// before any other thread sees it.
private final class CText: @unchecked Sendable {
    let start: UnsafeMutablePointer<CChar>
    let count: Int

    /// Copies the bytes. Returns nil when memory is exhausted.
    init?(_ bytes: [UInt8]) {
        guard let start = string(bytes) else { return nil }
        self.start = start
        count = bytes.count
    }

    deinit { free(start) }
}

@_cdecl("pbk_completion_event") @implementation
public func pbk_completion_event(_ completion: OpaquePointer?) -> pbk_event {
    CompletionBox.at(completion)?.event ?? pbk_event(0)
}

@_cdecl("pbk_completion_operation") @implementation
public func pbk_completion_operation(_ completion: OpaquePointer?) -> pbk_operation {
    CompletionBox.at(completion)?.operation ?? pbk_operation(0)
}

@_cdecl("pbk_completion_ticket") @implementation
public func pbk_completion_ticket(_ completion: OpaquePointer?) -> pbk_ticket {
    CompletionBox.at(completion)?.ticket ?? 0
}

@_cdecl("pbk_completion_context") @implementation
public func pbk_completion_context(_ completion: OpaquePointer?) -> UnsafeMutableRawPointer? {
    CompletionBox.at(completion).flatMap { UnsafeMutableRawPointer(bitPattern: $0.context) }
}

@_cdecl("pbk_completion_status") @implementation
public func pbk_completion_status(_ completion: OpaquePointer?) -> pbk_status {
    CompletionBox.at(completion)?.status ?? PBK_INVALID_ARGUMENT
}

@_cdecl("pbk_completion_outcome") @implementation
public func pbk_completion_outcome(_ completion: OpaquePointer?) -> pbk_outcome {
    CompletionBox.at(completion)?.outcome ?? PBK_OUTCOME_NONE
}

@_cdecl("pbk_completion_reply") @implementation
public func pbk_completion_reply(_ completion: OpaquePointer?) -> UnsafePointer<CChar>? {
    CompletionBox.at(completion)?.reply.map { UnsafePointer($0.start) }
}

@_cdecl("pbk_completion_reply_length") @implementation
public func pbk_completion_reply_length(_ completion: OpaquePointer?) -> Int {
    CompletionBox.at(completion)?.reply?.count ?? 0
}

@_cdecl("pbk_completion_tag") @implementation
public func pbk_completion_tag(_ completion: OpaquePointer?) -> UnsafePointer<CChar>? {
    CompletionBox.at(completion)?.tag.map { UnsafePointer($0.start) }
}

@_cdecl("pbk_completion_key") @implementation
public func pbk_completion_key(_ completion: OpaquePointer?) -> UnsafePointer<CChar>? {
    CompletionBox.at(completion)?.key.map { UnsafePointer($0.start) }
}

@_cdecl("pbk_completion_timing") @implementation
public func pbk_completion_timing(_ completion: OpaquePointer?) -> UnsafePointer<CChar>? {
    CompletionBox.at(completion)?.timingJSON()
}

@_cdecl("pbk_completion_free") @implementation
public func pbk_completion_free(_ completion: OpaquePointer?) {
    guard let completion else { return }
    let box = Unmanaged<CompletionBox>.fromOpaque(UnsafeRawPointer(completion)).takeRetainedValue()
    // If there was no memory for the reply, the host has not heard the end.
    if box.reply != nil { box.receipt?.acknowledge() }
}
