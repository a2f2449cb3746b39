/// A publisher's session and the tasks that wait for it: for room, or for everything to be acknowledged.
struct PublisherCore: SessionCore {
    typealias Waiter = CheckedContinuation<Result<UInt64, SlipstreamError>, Never>

    private struct Admission: Sendable {
        let ticket: Int
        let records: [UInt8]
        let count: Int
        let waiter: Waiter
    }

    private var session: PublisherSession
    private let limits: PublisherLimits
    private let rejections: AsyncStream<RejectedRecord>.Continuation
    /// Waiting for room, in the order they came.
    private var admissions: [Admission] = []
    private var flushes: [(ticket: Int, through: UInt64, waiter: Waiter)] = []
    private var lastTicket = 0
    private var cancelled: Set<Int> = []
    /// Since the last flush.
    private var rejected = RejectedRecords()
    private var ending: SlipstreamError?

    init(
        _ session: PublisherSession, limits: PublisherLimits, rejections: AsyncStream<RejectedRecord>.Continuation
    ) {
        self.session = session
        self.limits = limits
        self.rejections = rejections
    }

    var deadline: Moment? { session.deadline }
    var settledThrough: UInt64 { session.settledThrough }
    var lastSeq: UInt64 { session.lastSeq }

    mutating func handle(
        _ event: LinkEvent, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [ShellAction] {
        var actions: [ShellAction] = []
        for effect in session.handle(event, at: now, using: &random) {
            switch effect {
            case .link(let effect): actions.append(.link(effect))
            case .output(.settled): actions += admit() + finishFlushes()
            case .output(.rejected(let record)):
                rejected.note(record)
                actions.append(.call { [rejections] in rejections.yield(record) })
            case .output(.end(let error)): actions += end(error ?? .closed)
            }
        }
        return actions
    }

    // MARK: Publishing

    /// - Returns: the number, or `nil` when there is no room yet: then `wait`.
    mutating func publish(_ records: [UInt8], count: Int) -> ([ShellAction], Result<UInt64, SlipstreamError>?) {
        if let ending { return ([], .failure(ending)) }
        guard admissions.isEmpty, hasRoom(records, count) else { return ([], nil) }
        let effects = session.publish(records, count: count)
        return (links(effects), .success(session.lastSeq))
    }

    mutating func newTicket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    mutating func wait(_ records: [UInt8], count: Int, ticket: Int, _ waiter: Waiter) -> [ShellAction] {
        if let ending { return [.call { waiter.resume(returning: .failure(ending)) }] }
        if cancelled.remove(ticket) != nil { return [.call { waiter.resume(returning: .failure(.cancelled)) }] }
        admissions.append(Admission(ticket: ticket, records: records, count: count, waiter: waiter))
        return admit()
    }

    /// - Parameter ticket: of `wait` or `flush`, whether it was called already or will be.
    mutating func cancel(_ ticket: Int) -> [ShellAction] {
        let waiter: Waiter
        if let place = admissions.firstIndex(where: { $0.ticket == ticket }) {
            waiter = admissions.remove(at: place).waiter
        } else if let place = flushes.firstIndex(where: { $0.ticket == ticket }) {
            waiter = flushes.remove(at: place).waiter
        } else {
            cancelled.insert(ticket)
            return []
        }
        return [.call { waiter.resume(returning: .failure(.cancelled)) }]
    }

    /// The task that had this ticket is done with it.
    mutating func forget(_ ticket: Int) { cancelled.remove(ticket) }

    /// Whatever its size, one publish always has room.
    private func hasRoom(_ records: [UInt8], _ count: Int) -> Bool {
        session.waitingBytes == 0
            || session.waitingBytes + records.count <= limits.waitingBytes
                && session.waitingRecords + count <= limits.waitingRecords
    }

    private mutating func admit() -> [ShellAction] {
        var actions: [ShellAction] = []
        while let first = admissions.first, hasRoom(first.records, first.count) {
            admissions.removeFirst()
            actions += links(session.publish(first.records, count: first.count))
            let number = session.lastSeq
            actions.append(.call { first.waiter.resume(returning: .success(number)) })
        }
        return actions
    }

    // MARK: Flushing

    mutating func flush(ticket: Int, _ waiter: Waiter) -> [ShellAction] {
        if let ending { return [.call { waiter.resume(returning: .failure(ending)) }] }
        if cancelled.remove(ticket) != nil { return [.call { waiter.resume(returning: .failure(.cancelled)) }] }
        flushes.append((ticket, session.lastSeq, waiter))
        return finishFlushes()
    }

    private mutating func finishFlushes() -> [ShellAction] {
        let settled = session.settledThrough
        let done = flushes.filter { $0.through <= settled }
        guard !done.isEmpty else { return [] }
        flushes.removeAll { $0.through <= settled }
        let result: Result<UInt64, SlipstreamError> =
            rejected.total == 0 ? .success(settled) : .failure(.rejected(rejected))
        rejected = RejectedRecords()
        return done.map { flush in .call { flush.waiter.resume(returning: result) } }
    }

    private mutating func end(_ error: SlipstreamError) -> [ShellAction] {
        ending = error
        let waiters = admissions.map(\.waiter) + flushes.map(\.waiter)
        admissions = []
        flushes = []
        return waiters.map { waiter in .call { waiter.resume(returning: .failure(error)) } }
            + [.call { [rejections] in rejections.finish() }]
    }

    private func links(_ effects: [PublisherSession.Effect]) -> [ShellAction] {
        effects.compactMap { effect in if case .link(let link) = effect { .link(link) } else { nil } }
    }
}
