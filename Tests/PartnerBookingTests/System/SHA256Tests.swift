import Testing

@testable import PartnerBooking

@Suite struct SHA256Tests {
    /// Of FIPS 180-4's examples, and Python's hashlib.
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
                #expect(hash.finish() == whole)
            }
            var hash = SHA256()
            for byte in bytes { hash.update([byte]) }
            #expect(hash.finish() == whole)
        }
        #expect(all.finish().hex == "273febd3f67a6e22fc1330a1bf63e94b92bdfc6f1aab58a411b70329a23c81c9")
    }
}
