/// A first-in, first-out queue. Taking an element rarely moves the rest.
struct FIFO<Element> {
    private var elements: [Element?] = []
    private var head = 0

    init() {}

    /// Creates a queue with room for `count` elements.
    init(reserving count: Int) { elements.reserveCapacity(count) }

    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }

    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) { elements.append(element) }

    func filter(_ isToStay: (Element) -> Bool) -> FIFO {
        var rest = FIFO()
        rest.elements = elements[head...].filter { $0.map(isToStay) ?? false }
        return rest
    }

    @inline(__always)
    mutating func popFirst() -> Element? { isEmpty ? nil : takeFirst() }

    private mutating func takeFirst() -> Element? {
        if elements.count == 1 { return elements.removeLast() }  // the usual case
        let first = elements[head]
        elements[head] = nil  // frees the taken element at once
        head += 1
        if isEmpty {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return first
    }
}

extension FIFO: Sendable where Element: Sendable {}
