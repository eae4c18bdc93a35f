import Glibc
import Testing

@testable import PartnerBooking

@Suite struct EventDescriptorTests {
    private func isReadable(_ event: EventDescriptor, within milliseconds: Int32 = 0) -> Bool {
        var descriptor = pollfd(fd: event.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, milliseconds) == 1
    }

    @Test func isReadableFromSignalUntilClear() throws {
        let event = try EventDescriptor()
        #expect(!isReadable(event))
        for _ in 0..<3 {
            event.signal()
            #expect(isReadable(event))
            #expect(isReadable(event))
            event.clear()
            #expect(!isReadable(event))
        }
    }

    @Test func oneClearTakesAllSignals() throws {
        let event = try EventDescriptor()
        for _ in 0..<1_000 { event.signal() }
        event.clear()
        #expect(!isReadable(event))
    }

    @Test func clearWithoutASignalDoesNotBlock() throws {
        let event = try EventDescriptor()
        event.clear()
        event.clear()
        event.signal()
        #expect(isReadable(event))
    }

    /// An eventfd that holds its greatest number refuses to add; it must not make `signal` wait.
    @Test func signalOfAFullCounterDoesNotBlock() throws {
        let event = try EventDescriptor()
        var most = UInt64.max - 1
        #expect(write(event.descriptor, &most, 8) == 8)
        event.signal()
        #expect(isReadable(event))
        event.clear()
        #expect(!isReadable(event))
    }

    @Test func wakesAThreadInPoll() throws {
        let event = try EventDescriptor()
        let thread = background {
            sleep(milliseconds: 20)
            event.signal()
        }
        #expect(isReadable(event, within: 20_000))
        thread.join()
    }

    @Test func manyThreadsMaySignal() throws {
        let event = try EventDescriptor()
        onThreads(16) { _ in
            for _ in 0..<200 { event.signal() }
        }
        #expect(isReadable(event))
        event.clear()
        #expect(!isReadable(event))
    }

    @Test func isNotInherited() throws {
        let event = try EventDescriptor()
        #expect(fcntl(event.descriptor, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC)
    }

    /// In a process of its own: elsewhere another test may be given the number at once.
    @Test func isClosedWithItsLastReference() async {
        await #expect(processExitsWith: .success) {
            var event: EventDescriptor? = try EventDescriptor()
            let descriptor = try #require(event?.descriptor)
            #expect(fcntl(descriptor, F_GETFD) >= 0)
            let other = event
            event = nil
            #expect(fcntl(descriptor, F_GETFD) >= 0)
            withExtendedLifetime(other) {}
        }
        await #expect(processExitsWith: .success) {
            let descriptor = try EventDescriptor().descriptor
            #expect(fcntl(descriptor, F_GETFD) == -1)
        }
    }

    /// Without a descriptor to be had, opening fails in words and nothing else.
    @Test func descriptorsAreOut() async {
        await #expect(processExitsWith: .success) {
            var before = rlimit()
            #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before) == 0)
            var limit = rlimit(rlim_cur: 0, rlim_max: before.rlim_max)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            let event = #expect(throws: SystemError.self) { try EventDescriptor() }
            let configuration = Array(#"{"api_key":"sk_ptnr_descriptors"}"#.utf8)
            let client = #expect(throws: PartnerBookingError.self) { try PartnerBookingClient(json: configuration) }
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
            #expect(event?.message == TransferMessage.noDescriptor)
            #expect(client?.code == .resourceUnavailable)
            #expect(client?.isRetryable == true)
            let opened = try PartnerBookingClient(json: configuration)
            #expect(try opened.closeAndWait() == 0)
        }
    }
}
