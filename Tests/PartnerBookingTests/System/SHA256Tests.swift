import Glibc
import Testing

@testable import PartnerBooking

@Suite struct SHA256Tests {
    /// NIST's example values for SHA-256 (one block, two blocks), its CAVP's shortest texts, and Python's hashlib.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
    ])
    func knownDigests(_ text: String, _ digest: String) {
        #expect(SHA256.digest(of: Array(text.utf8)).hex == digest)
    }

    /// FIPS 180-2, appendix B.3.
    @Test func aMillionTimesA() {
        var hash = SHA256()
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000)
        for _ in 0..<1_000 { hash.update(piece) }
        #expect(hash.finalize().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// The processor's instructions, where it has them, and the portable code give the same, however the bytes are fed.
    @Test func bothWaysAgree() {
        var random = SplitMix64(state: 1)
        for length in 0..<400 {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let cut = length == 0 ? 0 : Int(random.next() % UInt64(length))
            var (own, portable) = (SHA256(), SHA256(isPortable: true))
            for part in [bytes[..<cut], bytes[cut...]] {
                own.update(Array(part))
                portable.update(Array(part))
            }
            #expect(own.finalize() == portable.finalize(), "\(length) bytes, cut at \(cut)")
        }
    }

    /// Of NIST's CAVP (SHA256ShortMsg.rsp): messages of 1, 2, 3 and 63 bytes.
    @Test(arguments: [
        (
            "d3",
            "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"
        ),
        (
            "11af",
            "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"
        ),
        (
            "b4190e",
            "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"
        ),
        (
            "e2f76e97606a872e317439f1a03fcd92e632e5bd4e7cbc4e97f1afc19a16fde92d77cbe546416b51640cddb92af996534dfd81edb17c4424cf1ac4d75aceeb",
            "18041bd4665083001fba8c5411d2d748e8abbfdcdfd9218cb02b68a78e7d4c23"
        ),
    ])
    func theShortMessagesOfNIST(_ message: String, _ digest: String) throws {
        #expect(SHA256.digest(of: try #require([UInt8](hex: message))).hex == digest)
    }

    /// Random bytes of every length from 0 to 1000, against Python's hashlib in a process of its own.
    @Test func itAgreesWithHashlib() throws {
        let program = """
            import hashlib, os
            for length in range(1001):
                data = os.urandom(length)
                print(data.hex() or '-', hashlib.sha256(data).hexdigest())
            """
        var count = 0
        for line in try output(of: "python3 -c \"\(program)\"") {
            let parts = line.split(separator: " ")
            let data = try #require(parts.first == "-" ? [] : [UInt8](hex: String(parts[0])))
            #expect(data.count == count)
            #expect(SHA256.digest(of: data).hex == parts[1])
            count += 1
        }
        #expect(count == 1_001)
    }

    /// Every length up to three blocks, fed whole, in two pieces and byte by byte; all digests of all lengths together as hashlib has
    /// them.
    @Test func piecesMakeNoDifference() {
        var all = SHA256()
        for length in 0..<192 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let whole = SHA256.digest(of: bytes)
            all.update(whole)
            for cut in Set([0, 1, 63, 64, 65, length / 2, length]) where cut <= length {
                var hash = SHA256()
                hash.update(Array(bytes.prefix(cut)))
                hash.update(Array(bytes.dropFirst(cut)))
                #expect(hash.finalize() == whole)
            }
            var hash = SHA256()
            for byte in bytes { hash.update([byte]) }
            #expect(hash.finalize() == whole)
        }
        #expect(all.finalize().hex == "273febd3f67a6e22fc1330a1bf63e94b92bdfc6f1aab58a411b70329a23c81c9")
    }
}

extension [UInt8] {
    /// nil for what is not two hexadecimal digits for each byte.
    init?(hex: String) {
        let digits = hex.utf8.compactMap(\.hexDigitValue)
        guard digits.count == hex.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// The lines that a command of the shell prints.
func output(of command: String) throws -> [Substring] {
    guard let pipe = popen(command, "re") else { throw TestFailure("cannot run \(command)") }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&piece, 1, piece.count, pipe), count > 0 { bytes += piece[..<count] }
    guard pclose(pipe) == 0 else { throw TestFailure("\(command) failed") }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
}
