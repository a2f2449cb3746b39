import Sharding

/// Measures a cluster's membership: nodes are killed one after the other, and it is noted who learns of it when, who is
/// buried alive, and what it all costs on the wire.
package struct MembershipStudy: Sendable {
    package struct Conditions: Sendable {
        package var nodeCount: Int
        package var timing = SwimTiming.standard
        package var loss = 0.0
        /// Of the nodes, starved as `starvation` says.
        package var starvedShare = 0.0
        package var starvation = Starvation.hard
        package var crash = SimulatedCluster.Crash.process
        /// Of the nodes: what each of them sends to a quarter of the others is lost.
        package var deafenedShare = 0.0
        /// The clock of some node jumps half a minute ahead at each kill, and the victim's wall clock goes back an hour.
        package var clocksJump = false
        package var kills = 20
        package init(nodeCount: Int) { self.nodeCount = nodeCount }
    }

    /// Conditions that were looked at.
    package let conditions: Conditions
    /// s from a kill until the first healthy node knew, sorted, one per kill.
    package private(set) var detections: [Double] = []
    /// s from a kill until the last healthy node knew, sorted, one per kill.
    package private(set) var disseminations: [Double] = []
    /// s from a restart under the same id until all healthy nodes knew, sorted, one per kill.
    package private(set) var returns: [Double] = []
    /// Kills that some healthy node had not learnt of after a minute.
    package private(set) var missed = 0
    /// Healthy nodes declared dead by anybody while they lived. One counts once for a spell of being thought dead.
    package private(set) var healthyEvictions = 0
    /// The same of starved nodes.
    package private(set) var starvedEvictions = 0
    package private(set) var bytesPerSecondPerNode = 0.0
    /// Simulated s.
    package private(set) var seconds = 0.0

    package init(_ conditions: Conditions, seed: UInt64) {
        self.conditions = conditions
        var cluster = SimulatedCluster(nodeCount: conditions.nodeCount, timing: conditions.timing, seed: seed)
        cluster.network.loss = conditions.loss
        let starved = Int(Double(conditions.nodeCount) * conditions.starvedShare)
        for node in 0..<starved { cluster.starve(node, conditions.starvation) }
        var random = SeededRandom(seed: seed &+ 1)
        for node in 0..<Int(Double(conditions.nodeCount) * conditions.deafenedShare) {
            let others = (0..<conditions.nodeCount).filter { $0 != node }.shuffled(using: &random)
            cluster.network.block(from: [node], to: Set(others.prefix(conditions.nodeCount / 4)))
        }
        cluster.run(for: conditions.timing.probeInterval * 10)
        for _ in 0..<conditions.kills {
            let victim = Int.random(in: starved..<conditions.nodeCount, using: &random)
            kill(victim, in: &cluster, starved: starved)
        }
        detections.sort()
        disseminations.sort()
        returns.sort()
        countEvictions(cluster)
        seconds = cluster.now.inSeconds
        bytesPerSecondPerNode = Double(cluster.bytesSent) / seconds / Double(conditions.nodeCount)
    }

    private mutating func kill(_ victim: Int, in cluster: inout SimulatedCluster, starved: Int) {
        let start = cluster.now
        let seen = cluster.observations.count
        if conditions.clocksJump { cluster.jumpClock(of: (victim + 1) % cluster.nodeCount, by: .seconds(30)) }
        cluster.crash(victim, conditions.crash)
        let healthy = (starved..<cluster.nodeCount).filter { $0 != victim }
        let isKnown = cluster.run(atMost: .seconds(60)) { cluster in
            healthy.allSatisfy { cluster.believesDead(victim, by: $0) }
        }
        let deaths = cluster.observations[seen...].filter {
            $0.subject == victim && $0.change == .died && $0.observer >= starved
        }
        let times = deaths.map { ($0.time - start).inSeconds }
        if let first = times.min() { detections.append(first) }
        if isKnown, let last = times.max() { disseminations.append(last) } else { missed += 1 }
        let restart = cluster.now
        cluster.restart(victim, wallOffset: conditions.clocksJump ? .seconds(-3_600) : .zero)
        let isBack = cluster.run(atMost: .seconds(60)) { cluster in
            healthy.allSatisfy { !cluster.believesDead(victim, by: $0) }
        }
        if isBack { returns.append((cluster.now - restart).inSeconds) }
        cluster.run(for: conditions.timing.probeInterval * Double.random(in: 5..<6, using: &cluster.random))
    }

    /// By subject: from the first that thinks it dead until nobody does any more is one eviction.
    private mutating func countEvictions(_ cluster: SimulatedCluster) {
        var mourners = [Int: Set<Int>]()
        for seen in cluster.observations {
            if seen.isFalseDeath {
                if mourners[seen.subject, default: []].isEmpty {
                    if cluster.isStarved(seen.subject) { starvedEvictions += 1 } else { healthyEvictions += 1 }
                }
                mourners[seen.subject, default: []].insert(seen.observer)
            } else if seen.change == .joined {
                mourners[seen.subject]?.remove(seen.observer)
            }
        }
    }
}
