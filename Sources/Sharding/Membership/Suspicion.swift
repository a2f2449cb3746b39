/// How long a suspect has to speak up: long when one node accuses it, shorter with every other that does.
///
/// Source: Lifeguard (Dadgar, Phillips, Currey, 2018), section IV-B: max − (max − min) · ln(c + 1) / ln(k + 1).
struct Suspicion: Sendable {
    private(set) var accusers: [NodeID]
    private var since: Duration
    private let shortest: Duration
    private let longest: Duration
    /// Confirmations needed for the shortest; none where there are too few nodes to give any.
    private let needed: Int
    /// Not declared dead before; pushed back when this node itself could not hear.
    private var notBefore = Duration.zero
    private var timesAsked = 0
    /// Since when its machine has said nothing else than that nobody listens there.
    private var refusedSince: Duration?
    /// When to look whether it still says so.
    private(set) var refusalDue = Duration.never

    init(by accuser: NodeID, at now: Duration, nodes: Int, timing: SwimTiming) {
        accusers = [accuser]
        since = now
        shortest = timing.suspicionMin(nodes: nodes)
        longest = shortest * timing.suspicionMaxMultiplier
        needed = max(0, min(timing.confirmations, nodes - 2))
    }

    var deadline: Duration {
        guard needed > 0 else { return max(notBefore, since + shortest) }
        let share = Logarithm.natural(accusers.count) / Logarithm.natural(needed + 1)
        return max(notBefore, since + longest - (longest - shortest) * min(1, share))
    }

    /// - Returns: whether this is a new accuser that still matters; then it is worth passing on.
    mutating func confirm(by accuser: NodeID) -> Bool {
        guard accusers.count <= needed, !accusers.contains(accuser) else { return false }
        accusers.append(accuser)
        return true
    }

    /// A suspicion that outlives the shortest is unconfirmed: as like as not its denial was lost on the way here, and has
    /// been said often enough not to be said again. Then, and again as much later, ask the suspect itself.
    var askAt: Duration { since + shortest * (timesAsked + 1) }
    mutating func shouldAsk(at now: Duration) -> Bool {
        guard askAt <= now else { return false }
        timesAsked += 1
        return true
    }

    /// The suspect's machine says that nobody listens at its port.
    ///
    /// - Returns: whether it has for long enough to be believed: a process may be about to open its socket again.
    mutating func refuse(at now: Duration, for least: Duration) -> Bool {
        guard let refusedSince else {
            self.refusedSince = now
            refusalDue = now + least
            return false
        }
        return now - refusedSince >= least
    }
    /// - Returns: whether to look now; again after `least` if no answer comes.
    mutating func shouldAskAgain(at now: Duration, every least: Duration) -> Bool {
        guard refusalDue <= now else { return false }
        refusalDue = now + least
        return true
    }
    /// The suspect itself was heard: somebody does listen there. It must still deny the suspicion.
    mutating func hearSuspect() { (refusedSince, refusalDue) = (nil, .never) }

    mutating func extend(to moment: Duration) { notBefore = max(notBefore, moment) }
}
