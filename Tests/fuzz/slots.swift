// The input is a line with options, and a search reply.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSlots(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    let parts = input.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return -1 }
    let (options, search) = (Array(parts[0]), Array(parts[1]))
    do throws(PartnerBookingError) {
        let reply = try SlotList.reply(search: search, options: options)
        let root = required((try? JSONDocument(reply, profile: .reply))?.root, "a reply is JSON: \(reply.text)")
        var last = Int.min
        for slot in required(root["slots"], "a reply has slots").elements {
            let start = required(Timestamp(slot["start_at"]?.string ?? "")?.instantSeconds, "a start is RFC 3339")
            let end = required(Timestamp(slot["end_at"]?.string ?? "")?.instantSeconds, "an end is RFC 3339")
            // An offset with seconds, as before 1972, cannot be written in RFC 3339.
            require(start / 60 > last / 60 || last == .min || start < 100_000_000, "slots are in order, without doubles")
            require(
                end - start == (slot["duration_minutes"]?.integer ?? 0) * 60 || start < 100_000_000,
                "its length is its length")
            last = start
        }
    } catch {
        requireUsable(error, of: input)
    }
    return 0
}
