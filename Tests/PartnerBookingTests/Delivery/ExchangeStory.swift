@testable import PartnerBooking

/// One booking from its beginning on: a platform that answers as a script says, a store that takes everything down, and
/// hosts that come and go. Time jumps from one happening to the next.
struct ExchangeStory {
    /// The end of one attempt.
    struct Step {
        /// nil: the platform never answers.
        var answer: PlatformAnswer?
        var after: Int
        /// By libcurl.
        var repetitions = 0
        var retryAfter: Int?
        /// The request does not leave.
        var isHeldUp = false

        static func answers(_ answer: PlatformAnswer, after: Int = 50, repetitions: Int = 0, retryAfter: Int? = nil) -> Step
        {
            Step(answer: answer, after: after, repetitions: repetitions, retryAfter: retryAfter)
        }

        static let silence = Step(answer: nil, after: 0)
    }

    private(set) var harness: ExchangeHarness
    private let steps: [Step]
    private var sent = 0
    private var answersAt: MonotonicTime?
    private var passed: Set<CallTicket> = []

    /// The last step again and again. `inDoubt`: an earlier process may have sent it.
    init(_ settings: ExchangeHarness.Settings, health: ServiceHealth? = nil, inDoubt: Bool = false, _ steps: Step...) {
        self.steps = steps
        harness = ExchangeHarness(settings)
        if let health { harness.health = health }
        harness.begin()
        if settings.operation == .createBooking { harness.grant(inDoubt: inDoubt, isRecorded: inDoubt) }
        answerAtOnce()
    }

    // MARK: What happens

    /// Lets so much time pass, counted from the beginning.
    mutating func run(until milliseconds: Int) {
        let end = ExchangeHarness.start.adding(milliseconds: milliseconds)
        while !harness.isOver, let next, next <= end {
            harness.now = max(harness.now, next)
            happen()
            answerAtOnce()
        }
        harness.now = max(harness.now, end)
    }

    mutating func cancel(_ ticket: CallTicket = 1) {
        harness.cancel(ticket, sentAt: harness.attempt?.sendings?.lastAt)
        answerAtOnce()
    }

    mutating func join() {
        harness.join()
        answerAtOnce()
    }

    private var next: MonotonicTime? {
        let timers = harness.timers.filter { $0.generation == harness.exchange.generation }.map(\.moment)
        return (timers + deadlines.map(\.moment) + [answersAt].compactMap { $0 }).min()
    }

    private var deadlines: [(moment: MonotonicTime, ticket: CallTicket)] {
        harness.open.filter { !passed.contains($0.ticket) }.map { ($0.deadline, $0.ticket) }
    }

    private var step: Step? { sent > 0 ? steps[min(sent, steps.count) - 1] : nil }

    /// Answers before timers, as the coordinator has it.
    private mutating func happen() {
        let now = harness.now
        if let answersAt, answersAt <= now, let step, let answer = step.answer {
            self.answersAt = nil
            harness.answer(answer, repetitions: step.repetitions, retryAfter: step.retryAfter)
            return
        }
        harness.timers.removeAll { $0.generation != harness.exchange.generation }
        let timer = harness.timers.enumerated().filter { $0.element.moment <= now }.min {
            $0.element.moment < $1.element.moment
        }
        if let timer {
            harness.timers.remove(at: timer.offset)
            harness.fire(timer.element.timer)
        } else if let deadline = deadlines.first(where: { $0.moment <= now }) {
            passed.insert(deadline.ticket)
            harness.passDeadline(deadline.ticket, sentAt: harness.attempt?.sendings?.lastAt)
        }
    }

    /// The store, the places and the transport take no time.
    private mutating func answerAtOnce() {
        while !harness.isOver {
            if harness.records > 0 {
                harness.endRecord(.durable)
            } else if harness.voids > 0 {
                harness.endVoid(true)
            } else if harness.takeBacks > 0 {
                harness.revoke(true)
            } else if harness.abandons > 0 {
                answersAt = nil
                harness.abandon(nil, isSent: harness.attempt?.sendings != nil)
            } else if harness.places > 0, harness.exchange.phase == .queued {
                harness.place()
            } else if harness.attempt != nil, answersAt == nil, harness.attempt?.sendings == nil,
                step.map(\.isHeldUp) != true
            {
                sent += 1
                if step?.isHeldUp == false { harness.send() }
                answersAt = step?.answer == nil ? nil : harness.now.adding(milliseconds: step?.after ?? 0)
                return
            } else {
                return
            }
        }
    }

    // MARK: What came of it

    /// The effects whose text starts with one of these words.
    func effects(_ words: String...) -> [String] {
        harness.log.map(\.text).filter { text in words.contains { text.hasPrefix($0) } }
    }

    /// When the requests were sent, in milliseconds.
    var sendings: [Int] { harness.log.filter { $0.text.hasPrefix("send") }.map(\.milliseconds) }

    /// When an effect happened, in milliseconds.
    func moment(_ text: String) -> Int? { harness.log.first { $0.text == text }?.milliseconds }

    func error(_ ticket: CallTicket = 1) -> PartnerBookingError? {
        harness.told.first { $0.ticket == ticket }?.result.failure
    }

    /// Rules that were broken, with all that happened.
    var violations: String? {
        harness.checker.violations.isEmpty
            ? nil : "\(harness.checker.violations)\n" + harness.history.joined(separator: "\n")
    }
}
