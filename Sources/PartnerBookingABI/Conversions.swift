// Conversions between C and Swift.
import CPartnerBooking
import Glibc
import PartnerBooking

/// Returns a copy of the caller's string without its NUL byte. The JSON reader checks the
/// UTF-8. A string longer than 2 MiB is cut, because that is already beyond every limit.
func bytes(_ string: UnsafePointer<CChar>?, _ name: String) throws(PartnerBookingError) -> [UInt8] {
    guard let string else { throw .argument(ErrorMessage.null(name)) }
    return Array(UnsafeRawBufferPointer(start: string, count: strnlen(string, 2_097_152)))
}

/// Returns a string that the caller must free, or nil when memory is exhausted. JSON contains
/// no NUL byte.
func string(_ json: [UInt8]) -> UnsafeMutablePointer<CChar>? {
    guard let memory = malloc(json.count + 1) else { return nil }
    json.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
    memory.storeBytes(of: 0, toByteOffset: json.count, as: UInt8.self)
    return memory.assumingMemoryBound(to: CChar.self)
}

/// Runs a body that may wait or hold a lock, and defers `pthread_cancel` until afterwards.
/// Otherwise a cancellation could end the thread in the middle, with the lock held.
@inline(__always)
func uncancelled<Result>(_ body: () -> Result) -> Result {
    var before: Int32 = 0
    pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &before)
    defer { pthread_setcancelstate(before, nil) }
    return body()
}

func cString(_ string: StaticString) -> UnsafePointer<CChar>? {
    UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
}

extension CallOperation {
    init?(_ operation: pbk_operation) {
        switch operation {
        case PBK_SEARCH_AVAILABILITY: self = .searchAvailability
        case PBK_CREATE_BOOKING: self = .createBooking
        case PBK_LOOKUP_CUSTOMER: self = .lookupCustomer
        default: return nil
        }
    }
}

extension pbk_operation {
    init(_ kind: CallKind) {
        switch kind {
        case .searchAvailability: self = PBK_SEARCH_AVAILABILITY
        case .createBooking: self = PBK_CREATE_BOOKING
        case .lookupCustomer: self = PBK_LOOKUP_CUSTOMER
        case .callTool: self = PBK_CALL_TOOL
        }
    }
}
