import Delivery
import Testing

@Suite struct PublisherSessionsTests {
    @Test func `a publish that comes again after it became durable holds nothing up`() {
        var sessions = PublisherSessions()
        sessions.took("p", 1, rejected: [], isOffered: true)
        sessions.stored("p", 1)
        #expect(sessions.acknowledgement(for: "p")?.through == 1)
        // Sent again before the publisher heard that, and this attempt is never stored.
        let isAdmitted = sessions.admits("p", 1)
        #expect(isAdmitted)
        sessions.took("p", 1, rejected: [], isOffered: true)
        sessions.took("p", 2, rejected: [], isOffered: true)
        sessions.stored("p", 2)
        #expect(sessions.acknowledgement(for: "p")?.through == 2)
    }

    @Test func `a publish that could not be stored holds up what follows until it has come again`() {
        var sessions = PublisherSessions()
        for number in 1...3 as ClosedRange<UInt64> { sessions.took("p", number, rejected: [], isOffered: true) }
        sessions.stored("p", 2)
        sessions.stored("p", 3)
        #expect(sessions.acknowledgement(for: "p")?.through == 0)
        sessions.took("p", 1, rejected: [], isOffered: true)
        sessions.stored("p", 1)
        #expect(sessions.acknowledgement(for: "p")?.through == 3)
    }
}
