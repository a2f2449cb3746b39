import Commands
import Sharding
import Simulation

/// How soon a simulated cluster knows that a node is dead, whom it buries alive, and what it sends: ours and memberlist's
/// defaults on the same network; and what it costs to assign shards.
struct MembershipBench: Bench {
    static let name = "membership"
    static let summary = "simulated: nodes die, others starve, packets get lost; ours beside memberlist's defaults"
    static let options = [
        "--nodes N    default 50", "--kills N    for each figure; default 40",
        "--seed N     of the first run; default 1",
    ]

    private let nodes: Int
    private let kills: Int
    private let seed: Int
    /// Kills in one simulation; then another begins.
    private static let killsPerRun = 20

    init(_ arguments: inout Arguments) throws(UsageError) {
        nodes = try arguments.takeNumber("--nodes", in: 5...1_000, default: 50)
        kills = try arguments.takeNumber("--kills", in: 1...100_000, default: 40)
        seed = try arguments.takeNumber("--seed", in: 0...1_000_000_000, default: 1)
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        await onThread { measure(place.progress) }
    }

    private func measure(_ progress: BenchProgress) -> BenchReport {
        var report = BenchReport(name: Self.name)
        report.setup = [("nodes", Double(nodes)), ("kills", Double(kills)), ("seed", Double(seed))]
        for weather in Weather.all {
            progress.say("\(weather.name), ours")
            report.figures += figures(study(weather, .standard), weather.name, hasBudget: nodes <= 50)
        }
        for weather in Weather.all {
            progress.say("\(weather.name), memberlist's defaults")
            let studies = study(weather, .memberlistLAN)
            report.figures += figures(studies, "memberlist_\(weather.name)", hasBudget: false)
        }
        progress.say("assignment")
        report.figures += AssignmentCost().figures
        return report
    }

    private func study(_ weather: Weather, _ timing: SwimTiming) -> [MembershipStudy] {
        let runs = (kills + Self.killsPerRun - 1) / Self.killsPerRun
        return (0..<runs).map { run in
            var conditions = MembershipStudy.Conditions(nodeCount: nodes)
            conditions.timing = timing
            weather.befall(&conditions)
            conditions.kills = min(Self.killsPerRun, kills - run * Self.killsPerRun)
            return MembershipStudy(conditions, seed: UInt64(seed + run))
        }
    }

    private func figures(_ studies: [MembershipStudy], _ prefix: String, hasBudget: Bool) -> [Figure] {
        let detections = studies.flatMap(\.detections).map { $0 * 1_000 }
        let known = studies.flatMap(\.disseminations).map { $0 * 1_000 }
        let hours = studies.reduce(0) { $0 + $1.seconds } / 3_600 * Double(nodes)
        func sum(_ count: (MembershipStudy) -> Int) -> Double { Double(studies.reduce(0) { $0 + count($1) }) }
        let isPromised = hasBudget && prefix != "loss_30"
        let limit = prefix.hasPrefix("silent") ? 2_500.0 : 1_000
        let returns = studies.flatMap(\.returns).map { $0 * 1_000 }
        return [
            Figure("\(prefix)_detect_p50_ms", detections.percentile(0.5)),
            Figure("\(prefix)_detect_p99_ms", detections.percentile(0.99)),
            Figure("\(prefix)_all_know_p50_ms", known.percentile(0.5)),
            Figure("\(prefix)_all_know_p99_ms", known.percentile(0.99), budget: isPromised ? .atMost(limit) : nil),
            Figure("\(prefix)_restart_known_p99_ms", returns.percentile(0.99)),
            Figure("\(prefix)_missed", sum(\.missed)),
            Figure("\(prefix)_healthy_evicted", sum(\.healthyEvictions), budget: isPromised ? .atMost(0) : nil),
            Figure("\(prefix)_starved_evicted", sum(\.starvedEvictions)),
            Figure("\(prefix)_node_hours", hours, decimals: 1),
            Figure("\(prefix)_bytes_per_second_per_node", studies.map(\.bytesPerSecondPerNode)),
        ]
    }
}

/// What befalls the network and its nodes.
private struct Weather {
    let name: String
    let befall: @Sendable (inout MembershipStudy.Conditions) -> Void

    /// In each, processes end and are restarted under their ids; in `silent` their machines fall silent instead.
    static let all = [
        Weather(name: "calm") { _ in },
        Weather(name: "silent") { $0.crash = .machine },
        Weather(name: "starved_20") { $0.starvedShare = 0.2 },
        Weather(name: "busy_20") { ($0.starvedShare, $0.starvation) = (0.2, .busy) },
        Weather(name: "loss_30") { $0.loss = 0.3 },
        Weather(name: "one_way") { $0.deafenedShare = 0.2 },
        Weather(name: "clocks_jump") { $0.clocksJump = true },
    ]
}

/// 1,000 nodes, 10,000 shards, two replicas.
private struct AssignmentCost {
    let figures: [Figure]

    init() {
        let members = (0..<1_000).compactMap { NodeID("node-\($0)") }.map { Assignment.Member($0) }
        var (fresh, changed, moves): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<5 {
            let start = monotonicNanoseconds()
            let before = Assignment(members: members, shardCount: 10_000, replicas: 2)
            fresh.append(Double(monotonicNanoseconds() - start) / 1e6)
            let holders = (0..<10_000).map { before.replicas(of: ShardID($0)) }
            let middle = monotonicNanoseconds()
            let after = Assignment(
                members: Array(members.dropLast()), shardCount: 10_000, replicas: 2, holders: holders)
            changed.append(Double(monotonicNanoseconds() - middle) / 1e6)
            moves.append(
                (0..<10_000).reduce(0.0) { sum, shard in
                    sum + Double(Set(after.replicas(of: ShardID(shard))).subtracting(holders[shard]).count)
                })
        }
        figures = [
            Figure("assign_1000_nodes_10000_shards_ms", fresh, decimals: 1, budget: .atMost(1_000)),
            Figure("assign_after_one_death_ms", changed, decimals: 1),
            Figure("assign_after_one_death_moves", moves),
        ]
    }
}
