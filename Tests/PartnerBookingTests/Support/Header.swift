import CPartnerBooking
import PartnerBooking

/// include/partnerbooking.h, as it is written.
enum Header {
    /// The statuses: `PBK_TIMEOUT` and its number.
    static let statuses: [(name: String, status: pbk_status)] = {
        let start = Repository.lines(of: "include/partnerbooking.h").drop { !$0.hasPrefix("typedef enum pbk_status") }
        return start.prefix { !$0.hasPrefix("} pbk_status;") }.compactMap { line in
            let words = line.split { " ,".contains($0) }
            guard line.hasPrefix("    PBK_"), words.count >= 3, words[1] == "=", let number = UInt32(words[2]) else {
                return nil
            }
            return (String(words[0]), pbk_status(rawValue: number))
        }
    }()

    /// The statuses from 1 to 69, each with the library's code of the same name.
    static let codes: [(code: PartnerBookingError.Code, status: pbk_status)] = statuses.compactMap { name, status in
        guard (1...69).contains(status.rawValue) else { return nil }
        return (PartnerBookingError.Code(rawValue: name.dropFirst("PBK_".count).lowercased()), status)
    }
}
