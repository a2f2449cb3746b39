import Glibc
import struct Sharding.Membership
import struct Sharding.NodeTable
import enum Sharding.NodeTableError
import struct Sharding.PeerAddress
import Threads

/// What the gossip thread does: waits for sockets, time and other threads; hands all that came to `Membership`; carries
/// out what it says. Decides nothing itself. Made and used on that thread alone.
final class GossipLoop {
    struct Handlers: Sendable {
        let onChange: @Sendable ([GossipMember]) -> Void
        let onReport: @Sendable (GossipReport) -> Void
    }
    /// Datagrams taken in one go: the rest of a flood waits until what is due is done.
    static let datagramsPerTurn = 4_096

    let shared: GossipShared
    let sockets: BoundSockets
    let handlers: Handlers
    let seal: Seal
    /// Looks up seeds; the answer comes by the inbox.
    let askResolver: @Sendable () -> Void
    var membership: Membership
    var random = SystemRandomNumberGenerator()
    var streams = StreamTable()
    var seeds: SeedBook
    /// A greeting for which no seed was known yet.
    var greeting: [UInt8]?
    var nextLookup = Duration.zero
    var counters = GossipCounters()
    /// Where a machine said that nobody listens; told to `Membership` at the end of a turn.
    var refusals: Set<PeerAddress> = []
    var isOver = false
    private var hasChanged = true
    private var isLeaving = false
    private var tables = TableCache()
    private var gate = ReportGate()
    private var lastMoment = Duration.zero
    private let start = ContinuousClock.now
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    init(
        _ membership: Membership, _ shared: GossipShared, _ sockets: BoundSockets, _ seal: Seal, _ seeds: SeedBook,
        _ handlers: Handlers, askResolver: @escaping @Sendable () -> Void
    ) {
        self.membership = membership
        self.shared = shared
        self.sockets = sockets
        self.seal = seal
        self.seeds = seeds
        self.handlers = handlers
        self.askResolver = askResolver
    }

    deinit { buffer.deallocate() }

    var now: Duration { ContinuousClock.now - start }

    func run() {
        // Tables first: the greeting then says that there is one.
        takeInbox()
        handle(.start(seeds: seeds.isEmpty ? [] : [SeedBook.standIn]))
        while !isOver {
            let ready = wait(until: min(membership.deadline, streams.deadline ?? membership.deadline))
            takeInbox()
            receiveDatagrams()
            if ready.hasConnections { acceptStreams() }
            for (id, events) in ready.streams where !isOver { serve(id, events) }
            streams.closeSilent(at: now)
            tellRefusals()
            if !isOver, now >= membership.deadline { handle(.tick, at: now) }
            tellRefusals()
            announce()
        }
    }

    // MARK: Events

    /// Hands in something that has arrived.
    func handle(_ event: Membership.Event) { handle(event, at: membership.arrival(at: now)) }

    private func handle(_ event: Membership.Event, at moment: Duration) {
        lastMoment = max(lastMoment, moment)
        carryOut(membership.handle(event, at: lastMoment, using: &random))
    }

    private func takeInbox() {
        let inbox = shared.takeInbox()
        if inbox.isStopped { isOver = true }
        if let answer = inbox.answer { take(answer) }
        if let table = inbox.table { publish(table) }
        for node in inbox.resets.sorted() { handle(.peerReset(node)) }
        if inbox.isLeaving, !isLeaving {
            isLeaving = true
            handle(.leave)
        }
    }

    private func publish(_ table: NodeTable) {
        lastMoment = max(lastMoment, now)
        do throws(NodeTableError) {
            carryOut(try membership.publish(table, at: lastMoment, using: &random))
        } catch {
            preconditionFailure("a table was taken whose size was not checked: \(error)")
        }
    }

    private func tellRefusals() {
        guard !refusals.isEmpty, !isOver else { return }
        let refused = membership.members.filter { $0.status <= .suspect && refusals.contains($0.address) }
        refusals = []
        for member in refused where member.id != membership.own { handle(.peerRefused(member.id)) }
    }

    // MARK: Effects

    func carryOut(_ effects: [Membership.Effect]) {
        for effect in effects {
            switch effect {
            case .send(let bytes, let address): send(bytes, to: address)
            case .open(SeedBook.standIn, let frame): greetSeeds(frame)
            case .open(let address, let frame): open(address, frame)
            case .reply(let id, let frame, let isLast): reply(id, frame, isLast: isLast)
            case .changed: hasChanged = true
            case .departed: isOver = true
            case .report(let report): count(report)
            }
        }
    }

    private func count(_ report: Membership.Report) {
        switch report {
        case .malformed, .refusing(_, _, .version): counters.malformed += 1
        case .foreign: counters.foreign += 1
        case .refused, .refusing, .clash, .refuted, .paused: break
        }
        tell(.membership(report))
    }

    func tell(_ report: GossipReport) {
        guard gate.admits(report, at: now) else {
            counters.reportsRepeated += 1
            return
        }
        handlers.onReport(report)
    }

    private func announce() {
        counters.healthScore = membership.healthScore
        guard hasChanged else { return shared.status.update { $0.counters = counters } }
        hasChanged = false
        let members = tables.members(of: membership)
        shared.status.update { status in
            status.counters = counters
            status.members = members
        }
        handlers.onChange(members)
    }
}
