import CPartnerBooking
import Glibc
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

@Suite struct ABITests {
    // MARK: Version and texts

    @Test func versionIsThatOfTheHeader() throws {
        let version = String(cString: try #require(pbk_version()))
        #expect(version == PBK_VERSION)
        #expect(version == "\(PBK_VERSION_MAJOR).\(PBK_VERSION_MINOR).\(PBK_VERSION_PATCH)")
        #expect(version == "\(partnerBookingVersion)")
    }

    // MARK: NULL

    @Test func openWithoutConfiguration() throws {
        #expect(pbk_client_open(nil, nil, nil) == nil)
        var error: UnsafeMutablePointer<CChar>?
        var status = PBK_OK
        #expect(pbk_client_open(nil, &error, &status) == nil)
        #expect(status == PBK_INVALID_ARGUMENT)
        let reply = try #require(ABIReply(status, error))
        #expect(try reply.error("code") == #""invalid_argument""#)
        #expect(try reply.error("source") == #""caller""#)
        #expect(try reply.error("outcome") == nil)
    }

    @Test func callsWithoutAnything() throws {
        for operation in [pbk_search_availability, pbk_create_booking, pbk_lookup_customer, pbk_call_tool] {
            var status = PBK_OK
            let reply = try #require(ABIReply(PBK_OK, operation(nil, nil, &status)))
            #expect(status == PBK_INVALID_CLIENT)
            #expect(try reply.error("code") == #""invalid_client""#)
            pbk_string_free(operation(nil, nil, nil))
        }
        #expect(pbk_client_close(nil, 0) == PBK_INVALID_CLIENT)
        pbk_string_free(nil)
    }

    @Test func callsWithoutARequest() throws {
        let client = try ABIClient()
        var status = PBK_OK
        let search = try #require(ABIReply(PBK_OK, pbk_search_availability(client.handle, nil, &status)))
        #expect(status == PBK_INVALID_ARGUMENT)
        #expect(try search.error("code") == #""invalid_argument""#)
        #expect(try search.error("outcome") == nil)
        let booking = try #require(ABIReply(PBK_OK, pbk_create_booking(client.handle, nil, &status)))
        #expect(status == PBK_INVALID_ARGUMENT)
        #expect(try booking.error("outcome") == #""not_sent""#)
        #expect(try booking.error("idempotency_key") == "null")
        #expect(client.close() == PBK_OK)
    }

    @Test func statusMayBeNULL() throws {
        let client = try ABIClient()
        let reply = withCString(Sample.search()) { pbk_search_availability(client.handle, $0, nil) }
        #expect(try #require(ABIReply(PBK_OK, reply)).json.starts(with: Array(#"{"availabilities":["#.utf8)))
        pbk_string_free(pbk_create_booking(client.handle, nil, nil))
        client.close()
    }

    // MARK: Opening

    @Test func openingClearsTheError() throws {
        var byte: CChar = 1
        withUnsafeMutablePointer(to: &byte) { rubbish in
            var error: UnsafeMutablePointer<CChar>? = rubbish
            var status = PBK_TIMEOUT
            let client = withCString(Array(#"{"endpoint":"sandbox"}"#.utf8)) { pbk_client_open($0, &error, &status) }
            #expect(error == nil && status == PBK_OK)
            #expect(pbk_client_close(client, 0) == PBK_OK)
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var configuration: [UInt8]
        var code: String
        var testDescription: String { String(decoding: configuration, as: UTF8.self) }
        init(_ configuration: String, _ code: String) { (self.configuration, self.code) = (Array(configuration.utf8), code) }
        init(bytes: [UInt8], _ code: String) { (configuration, self.code) = (bytes, code) }
    }

    @Test(arguments: [
        Refused("", "invalid_json"), Refused("{", "invalid_json"), Refused("[]", "invalid_config"),
        Refused("{}", "invalid_config"), Refused(#"{"endpoint":"other"}"#, "invalid_config"),
        Refused(#"{"endpoint":"sandbox","surprise":1}"#, "invalid_config"),
        Refused(#"{"api_key":"wrong"}"#, "invalid_config"),
        Refused(bytes: Array(#"{"endpoint":"sand"#.utf8) + [0xFF] + Array(#""}"#.utf8), "invalid_json"),
        Refused(bytes: Array(#"{"endpoint":""#.utf8) + [0xC0, 0xAF] + Array(#""}"#.utf8), "invalid_json"),
    ])
    func openingRefuses(_ refused: Refused) throws {
        var error: UnsafeMutablePointer<CChar>?
        var status = PBK_OK
        #expect(withCString(refused.configuration) { pbk_client_open($0, &error, &status) } == nil)
        #expect(try #require(ABIReply(status, error)).error("code") == #""\#(refused.code)""#)
        #expect(status == (refused.code == "invalid_json" ? PBK_INVALID_JSON : PBK_INVALID_CONFIG))
        #expect(withCString(refused.configuration) { pbk_client_open($0, nil, nil) } == nil)
    }

    // MARK: Calls

    @Test func searchAndBook() throws {
        let client = try ABIClient()
        let search = try client.search()
        #expect(search.status == PBK_OK)
        #expect(search.json.starts(with: Array(#"{"availabilities":[{"#.utf8)))
        let booking = try client.book()
        #expect(booking.status == PBK_OK)
        #expect(booking.json.starts(with: Array(#"{"booking":{"#.utf8)))
        #expect(try client.book().json == booking.json)

        let taken = try client.book(Sample.booking(key: "key-2"))
        #expect(taken.status == PBK_SLOT_UNAVAILABLE)
        #expect(try taken.error("code") == #""slot_unavailable""#)
        #expect(try taken.error("outcome") == #""rejected""#)
        #expect(try taken.error("idempotency_key") == #""key-2""#)
        #expect(client.close() == PBK_OK)
    }

    @Test(arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80]] as [[UInt8]])
    func textThatIsNotUTF8(_ bytes: [UInt8]) throws {
        let client = try ABIClient()
        let start = Array(#"{"bot_id":"bot"#.utf8)
        let request = start + bytes + Array(#""}"#.utf8)
        for reply in [try client.search(request), try client.book(request)] {
            #expect(reply.status == PBK_INVALID_JSON)
            #expect(try reply.error("code") == #""invalid_json""#)
            let offset = try #require(reply.error("offset").flatMap { Int($0) })
            #expect((start.count...start.count + bytes.count).contains(offset))
        }
        #expect(try client.book(request).error("outcome") == #""not_sent""#)
        client.close()
    }

    @Test func fieldThatIsWrong() throws {
        let client = try ABIClient()
        let reply = try client.search(Array(#"{"bot_id":"","tag":"t-1"}"#.utf8))
        #expect(reply.status == PBK_INVALID_FIELD)
        #expect(try reply.error("field") == #""bot_id""#)
        #expect(try reply.error("tag") == #""t-1""#)
        client.close()
    }

    // MARK: Closing

    @Test func closedHandle() throws {
        let client = try ABIClient()
        #expect(client.close() == PBK_OK)
        #expect(client.close() == PBK_CLIENT_CLOSED)
        #expect(client.close(-1) == PBK_CLIENT_CLOSED)
        #expect(try client.search().status == PBK_CLIENT_CLOSED)
        let booking = try client.book()
        #expect(booking.status == PBK_CLIENT_CLOSED)
        #expect(try booking.error("code") == #""client_closed""#)
        #expect(try booking.error("outcome") == #""unknown""#, "the client that is gone may have sent it")
    }

    @Test(arguments: [Int32.min, -1, 0, 1, .max])
    func idleClientClosesWithAnyTime(_ timeout: Int32) throws {
        #expect(try ABIClient().close(timeout) == PBK_OK)
    }

    /// The call under way is ended and told what may have become of it; whoever closes second is told at once.
    @Test func closingDuringACall() throws {
        let client = try ABIClient(#"{"endpoint":"sandbox","sandbox":{"latency_ms":60000}}"#)
        let reply = Monitor<ABIReply?>(nil)
        let caller = background { reply.withLock { $0 = try? client.book(Sample.booking(Sample.timeout(50_000))) } }
        sleep(milliseconds: 50)
        let (first, second) = (Monitor<pbk_status?>(nil), Monitor<pbk_status?>(nil))
        let elapsed = elapsedMilliseconds {
            let closer = background { first.withLock { $0 = client.close(100) } }
            sleep(milliseconds: 20)
            second.withLock { $0 = client.close(100) }
            closer.join()
            caller.join()
        }
        #expect(elapsed < 20_000)
        #expect(first.withLock { $0 } == PBK_TIMEOUT)
        #expect(second.withLock { $0 } == PBK_CLIENT_CLOSED)
        let ended = try #require(reply.withLock { $0 })
        #expect(ended.status == PBK_CLIENT_CLOSED)
        #expect(try ended.error("outcome") == #""unknown""#)
        #expect(try ended.error("idempotency_key") == #""key-1""#)
    }

    @Test func manyThreadsWhileOneCloses() throws {
        let client = try ABIClient()
        let statuses = Monitor<[pbk_status]>([])
        let isGoing = Counter()
        let callers = background {
            onThreads(8) { number in
                for call in 0..<60 {
                    isGoing.increment()
                    let key = "\(number)-\(call)"
                    let reply = try? call % 2 == 0 ? client.search() : client.book(Sample.booking(key: key))
                    statuses.withLock { $0.append(reply?.status ?? PBK_RESOURCE_UNAVAILABLE) }
                }
            }
        }
        #expect(isGoing.reaches(100))
        #expect([PBK_OK, PBK_TIMEOUT].contains(client.close(5_000)))
        callers.join()
        let known = [PBK_OK, PBK_SLOT_UNAVAILABLE, PBK_CLIENT_CLOSED]
        #expect(statuses.withLock { $0.count } == 480)
        #expect(statuses.withLock { $0.filter { !known.contains($0) } } == [])
    }
}
