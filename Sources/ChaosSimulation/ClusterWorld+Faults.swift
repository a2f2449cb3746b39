import Delivery
import Replication
import Sharding
import Simulation
import Telemetry

/// Faults begin and end.
extension ClusterWorld {
    func begin(_ fault: Fault) {
        note("FAULT \(fault)")
        beganFaults.insert(fault.kind)
        let node = nodes[fault.target % nodes.count]
        switch fault.kind {
        case .crash: crash(node, resets: true)
        case .powerLoss: crash(node, resets: false)
        case .newAddress, .upgrade: crash(node, resets: true)
        case .crashInSnapshot: tornSnapshots.insert(node.number)
        case .crashInPromotion: crashInPromotion.insert(node.number)
        case .drain:
            node.process?.isDraining = true
            for (session, _) in (node.process?.wires ?? [:]).sorted(by: { $0.key.value < $1.key.value }) {
                closeFromNode(node, session, 1001, "the node stops")
            }
            decideSoon(node)
        case .pause: node.isPaused = true
        case .starvation:
            node.starvations += 1
            schedule(.starve, node, after: .zero)
        case .slowReplica: node.slowness += 1
        case .clockJump: node.clockOffset += fault.other % 2 == 0 ? .seconds(3_600) : .seconds(-3_600)
        case .partition, .oneWay, .swizzle, .brokerCut, .clientCut: block(fault, true)
        case .loss: network.loss = 0.3
        case .duplication: network.duplication = 0.3
        case .delay: network.extraDelay = .milliseconds(60)
        case .brokerErrors: faultyAppends.errors += 1
        case .ambiguousAcks: faultyAppends.ambiguous += 1
        case .corruptSnapshot, .tornSnapshot: damage(node, fault)
        case .truncatedLog: truncate(fault)
        case .clientResets: resetClients(fault.target % 2 == 0 ? nil : node.number)
        case .slowReader: clients[2 + fault.target % 4].isReading = false
        case .reconnectStorm: for _ in 0..<3 { resetClients(node.number) }
        case .crowd: crash(nodes[0], resets: fault.other % 2 == 0)
        }
    }

    func end(_ fault: Fault) {
        note("END \(fault)")
        let node = nodes[fault.target % nodes.count]
        switch fault.kind {
        case .crash, .powerLoss, .crashInSnapshot, .crashInPromotion:
            tornSnapshots.remove(node.number)
            crashInPromotion.remove(node.number)
            boot(node.number, wipes: false)
        case .crowd: boot(0, wipes: false)
        case .newAddress: boot(node.number, wipes: true)
        case .upgrade:
            if node.process == nil { node.tracks = upgraded(node.tracks) }
            boot(node.number, wipes: false)
        case .drain: node.process == nil ? boot(node.number, wipes: false) : rebootWhenGone(node)
        case .pause: resume(node)
        case .starvation: node.starvations -= 1
        case .slowReplica: node.slowness -= 1
        case .partition, .oneWay, .swizzle, .brokerCut, .clientCut: block(fault, false)
        case .loss: network.loss = 0
        case .duplication: network.duplication = 0
        case .delay: network.extraDelay = .zero
        case .brokerErrors: faultyAppends.errors -= 1
        case .ambiguousAcks: faultyAppends.ambiguous -= 1
        case .slowReader: clients[2 + fault.target % 4].isReading = true
        case .clockJump, .corruptSnapshot, .tornSnapshot, .truncatedLog, .clientResets, .reconnectStorm: break
        }
    }

    // MARK: Processes

    /// - Parameter resets: its machine lives and tells the other ends of its connections.
    func crash(_ node: SimulatedNode, resets: Bool) {
        guard let process = node.process else { return }
        note("n\(node.number) crashes")
        end(node)
        guard resets else { return }
        for (_, wire) in process.wires.sorted(by: { $0.key.value < $1.key.value }) {
            queue.add(.lost(wire, atNode: false), at: now + network.delay(using: &random))
        }
        for other in nodes {
            for (peer, link) in (other.process?.links ?? [:]) where peer == node.id {
                schedule(.linkLost(peer, link: link), other, after: network.delay(using: &random))
            }
        }
    }

    func end(_ node: SimulatedNode) {
        // Sessions and their readers hold each other until they are closed.
        for session in (node.process?.wires ?? [:]).keys { _ = node.process?.hub.close(session) }
        node.process = nil
        node.life += 1
        node.isPaused = false
        node.held = []
    }

    /// The goodbye is out.
    func stop(_ node: SimulatedNode) {
        guard node.process?.isLeaving == true else { return }
        crash(node, resets: true)
        if node.stopsLater {
            node.stopsLater = false
            queue.add(.boot(node.number, wipes: false), at: now + .milliseconds(100))
        }
    }

    private func rebootWhenGone(_ node: SimulatedNode) {
        guard node.process?.isDraining == true else { return }
        node.stopsLater = true
    }

    func resume(_ node: SimulatedNode) {
        node.isPaused = false
        let held = node.held
        node.held = []
        for happening in held { queue.add(happening, at: now) }
        // The tick that was due meanwhile is.
        guard node.process != nil else { return }
        node.process?.scheduledTick = now
        schedule(.tick, node, after: .zero)
    }

    func starve(_ node: SimulatedNode) {
        guard node.starvations > 0 else { return }
        node.isPaused = true
        let pause = draw(50...900)
        schedule(.resume, node, after: pause)
        schedule(.starve, node, after: pause + draw(20...200))
    }

    // MARK: Network

    private func block(_ fault: Fault, _ begins: Bool) {
        func set(_ from: Int, _ to: Int) { begins ? network.block(from, to) : network.unblock(from, to) }
        let one = fault.target % nodes.count
        let other = fault.other % nodes.count
        switch fault.kind {
        case .partition:
            let group = Set([one, other])
            for a in nodes.indices where group.contains(a) {
                for b in nodes.indices where !group.contains(b) {
                    set(a, b)
                    set(b, a)
                }
            }
        case .oneWay: for to in nodes.indices where to != one { set(one, to) }
        case .swizzle:
            set(one, other)
            set((one + 1) % nodes.count, one)
        case .brokerCut:
            set(one, Network.log)
            set(Network.log, one)
        case .clientCut: for client in clients { set(one, Network.client(client.number)) }
        default: break
        }
    }

    private func resetClients(_ node: Int?) {
        for client in clients {
            if let wire = client.wire, node == nil || wires[wire].node == node { reset(wire) }
        }
    }

    // MARK: Disks and the log

    private func damage(_ node: SimulatedNode, _ fault: Fault) {
        for number in 0..<partitions {
            let partition = PartitionID(number)
            guard let newest = node.disk.offsets(of: partition).first,
                var bytes = node.disk.load(partition, at: newest), !bytes.isEmpty
            else { continue }
            if variant == .checksNoSnapshot {
                bytes = wrong(bytes, of: partition, node)
            } else if fault.kind == .tornSnapshot {
                bytes = Array(bytes.prefix(fault.other * bytes.count / 60))
            } else {
                bytes[fault.other * bytes.count / 60] ^= 0x20
            }
            node.disk.overwrite(partition, at: newest, with: bytes)
        }
        crash(node, resets: true)
        queue.add(.boot(node.number, wipes: false), at: now + fault.duration)
    }

    /// Damage that no check finds.
    private func wrong(_ bytes: [UInt8], of partition: PartitionID, _ node: SimulatedNode) -> [UInt8] {
        do throws(SnapshotError) {
            var shard = try Shard(try Snapshot.decode(bytes), partition: partition, tracks: node.tracks)
            guard shard.corrupt() else { return bytes }
            return shard.snapshot(at: timestamp).encode()
        } catch { return bytes }
    }

    private func truncate(_ fault: Fault) {
        do throws(LogError) {
            _ = try log.remove(beyond: Retention(bytesPerPartition: 2_000), at: timestamp)
        } catch { violate("\(error)") }
    }

    /// Another engine version: the same outputs, for the oracle's sake, but other states as far as anybody can tell.
    /// What was stored by which is written down beside it.
    private func upgraded(_ tracks: TrackTable) -> TrackTable {
        TrackTable(tracks.all + [Track(name: "new-\(tracks.all.count)", length: 1_000, sectors: [])])
    }
}
