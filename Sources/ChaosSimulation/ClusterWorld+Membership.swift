import Delivery
import Replication
import Sharding
import Simulation
import Telemetry

/// Gossip, and what a node makes of it.
extension ClusterWorld {
    func boot(_ number: Int, wipes: Bool) {
        let node = nodes[number]
        guard node.process == nil else { return }
        if wipes {
            node.disk = MemorySnapshotStore()
            node.address = PeerAddress(ipv4: node.address.ipv4.map { $0 + 0x100 } ?? 0, port: 7_946)
        }
        node.life += 1
        note("n\(number) starts, life \(node.life)")
        let boot = UInt64(max(0, wall(node).microseconds / 1_000))
        var table = NodeTable()
        table.url = "http://n\(number)"
        var limits = Hub.Limits()
        limits.beatsAheadMax = 5
        limits.ringBytes = 4 << 10
        node.process = .init(
            Membership(
                node.id, at: node.address, boot: boot, settings: settings,
                timing: variant == .condemnsTheLate ? Self.hasty : .standard),
            NodePlan(own: node.id, table: table, shardCount: partitions, replicas: replicas, boot: boot),
            Hub(limits: limits), ShardSources(own: node.id, shardCount: partitions),
            BeginningsGate(perSecond: beginningsPerSecond(at: node)), at: now)
        hand(.start(seeds: nodes.filter { $0 !== node }.map(\.address)), to: node)
        schedule(.serve, node, after: draw(1...50))
    }

    func hand(_ event: Membership.Event, to node: SimulatedNode) {
        if variant == .buriesTheDead, isFromTheDead(event, at: node) { return }
        guard let effects = node.process?.membership.handle(event, at: now, using: &random) else { return }
        carryOut(effects, of: node)
    }

    private func isFromTheDead(_ event: Membership.Event, at node: SimulatedNode) -> Bool {
        switch event {
        case .datagram(_, let source), .frame(_, _, let source):
            node.process?.membership.members.contains { $0.address == source && $0.status == .dead } ?? false
        default: false
        }
    }

    func carryOut(_ effects: [Membership.Effect], of node: SimulatedNode) {
        for effect in effects {
            switch effect {
            case .send(let bytes, let address): sendDatagram(bytes, from: node, to: address)
            case .open where variant == .neverSyncs && now > .seconds(3): break
            case .open(let address, let frame):
                streams.append((node.number, place(at: address) ?? -1))
                sendFrame(frame, on: streams.count - 1, from: node)
            case .reply(let stream, let frame, _): sendFrame(frame, on: stream.number, from: node)
            case .changed(let id, let change):
                note("n\(node.number): \(id) \(change)")
                if change == .died { checkDeath(of: id, at: node) }
                decideSoon(node)
            case .departed: schedule(.stop, node, after: .zero)
            case .report: break
            }
        }
        guard let deadline = node.process?.membership.deadline, deadline < .never else { return }
        let due = max(now, deadline)
        guard let scheduled = node.process?.scheduledTick, due < scheduled else { return }
        node.process?.scheduledTick = due
        queue.add(.node(node.number, life: node.life, .tick), at: due)
    }

    /// A node that runs, and that nothing keeps from the others, is not taken for dead.
    private func checkDeath(of id: NodeID, at node: SimulatedNode) {
        guard beganFaults.allSatisfy(\.leavesNodesTogether), let place = placeOf[id],
            let process = nodes[place].process, !process.isDraining, now - process.begunAt > .seconds(3)
        else { return }
        violate("n\(node.number) takes \(id) for dead, which lives")
    }

    /// For a network without delays and nodes that never wait for a processor.
    private static let hasty: SwimTiming = {
        var timing = SwimTiming.standard
        (timing.probeTimeout, timing.probePatience) = (.milliseconds(20), .milliseconds(50))
        (timing.indirectProbes, timing.repeatsProbes, timing.verifiers) = (0, false, 0)
        (timing.suspicionMultiplier, timing.suspicionMaxMultiplier, timing.suspicionFloor) = (0.1, 1, .zero)
        return timing
    }()

    private func place(at address: PeerAddress) -> Int? { nodes.firstIndex { $0.address == address } }

    private func sendDatagram(_ bytes: [UInt8], from node: SimulatedNode, to address: PeerAddress) {
        guard let target = place(at: address), network.carries(node.number, target), nodes[target].process != nil else {
            return
        }
        let isTwice = network.duplication > 0 && Double.random(in: 0..<1, using: &random) < network.duplication
        if variant == .distrustsRepeats, isTwice { nodes[target].process?.distrusted.insert(node.address) }
        if nodes[target].process?.distrusted.contains(node.address) == true { return }
        for _ in 0..<(isTwice ? 2 : 1) {
            if network.loss > 0, Double.random(in: 0..<1, using: &random) < network.loss { continue }
            schedule(
                .membership(.datagram(bytes, from: node.address)), nodes[target],
                after: network.delay(using: &random))
        }
    }

    private func sendFrame(_ frame: [UInt8], on stream: Int, from node: SimulatedNode) {
        let ends = streams[stream]
        let target = ends.0 == node.number ? ends.1 : ends.0
        guard target >= 0, nodes[target].process != nil, network.connects(node.number, target) else { return }
        let event = Membership.Event.frame(frame, on: Membership.StreamID(stream), from: node.address)
        schedule(.membership(event), nodes[target], after: network.delay(using: &random) * 2)
    }

    // MARK: Decisions

    func decideSoon(_ node: SimulatedNode) {
        guard node.process?.isDeciding == false else { return }
        node.process?.isDeciding = true
        schedule(.decide, node, after: .milliseconds(1))
    }

    func decide(_ node: SimulatedNode) {
        guard let process = node.process else { return }
        process.isDeciding = false
        process.decidedAt = now
        let members = process.membership.members.filter { $0.id != node.id && $0.status <= .suspect }
        let peers = members.map { member in
            LiveNode(
                member.id, isSuspect: member.status == .suspect,
                table: process.tables.read(member))
        }
        let hasFoundOthers = !members.isEmpty && members.allSatisfy { !$0.table.isEmpty }
        guard hasFoundOthers || now - process.begunAt >= .seconds(2) else { return }
        let isNews = process.plan.decide(
            peers: peers, reports: process.replica.reports, isDraining: process.isDraining, at: now)
        let table = process.plan.takeTable(at: now)
        if isNews { carryOut(process.plan, of: node) }
        if let table {
            do throws(NodeTableError) {
                if let effects = try node.process?.membership.publish(
                    table, at: now, using: &random)
                {
                    carryOut(effects, of: node)
                }
            } catch { violate("\(error)") }
        }
        if process.isDraining, process.plan.isDrained { leave(node) }
    }

    private func carryOut(_ plan: NodePlan, of node: SimulatedNode) {
        let map = plan.map
        let view = ClusterView(
            urls: Dictionary(uniqueKeysWithValues: plan.peers.map { ($0.id, $0.table.url) }),
            live: (0..<partitions).map { map.serving(ShardID($0)).map(\.node) },
            leaving: Set(plan.leaving.map(\.number)))
        node.process?.view = view
        host(node, wanted(by: plan))
        holdBack(node, Set(plan.standing.map(\.number)))
        if let effects = node.process?.sources.changed(view, at: timestamp) { carryOut(effects, of: node) }
    }

    private func wanted(by plan: NodePlan) -> Set<Int> {
        let leaving =
            variant == .handsNothingOver ? plan.table.shards.filter { $0.handover != nil }.map(\.shard) : []
        return Set(plan.hosted.subtracting(leaving).map(\.number))
    }

    func leave(_ node: SimulatedNode) {
        guard node.process?.isLeaving == false else { return }
        node.process?.isLeaving = true
        note("n\(node.number) leaves")
        hand(.leave, to: node)
    }
}
