import Delivery
import Replication
import Sharding
import Simulation
import Telemetry

/// Restoring, folding, snapshots.
extension ClusterWorld {
    func host(_ node: SimulatedNode, _ wanted: Set<Int>) {
        guard let replica = node.process?.replica else { return }
        node.process?.replica.hasBegun = true
        node.process?.replica.awaited = replica.awaited.filter { wanted.contains($0.key) }
        for shard in replica.hosted.keys.sorted() where !wanted.contains(shard) {
            saveSnapshot(node, shard)
            node.process?.replica.hosted[shard] = nil
            note("n\(node.number) releases shard \(shard)")
            if replica.hosted[shard]?.isLive == true { checkHandover(node, shard) }
            released(node, shard)
        }
        for shard in wanted.sorted() where replica.hosted[shard] == nil && replica.awaited[shard] == nil {
            restore(node, shard)
        }
        if wanted.isEmpty { becameLive(node) }
        decideSoonIfReportsChanged(node, replica)
    }

    /// While no process and no connection between nodes was lost, a live shard that is let go of is live elsewhere.
    private func checkHandover(_ node: SimulatedNode, _ shard: Int) {
        guard beganFaults.allSatisfy(\.leavesNodesTogether) else { return }
        let others = nodes.count { $0 !== node && $0.process?.replica.hosted[shard]?.isLive == true }
        if others == 0 { violate("n\(node.number) lets go of shard \(shard), which is live nowhere else") }
    }

    private func decideSoonIfReportsChanged(_ node: SimulatedNode, _ before: SimulatedReplica) {
        if node.process?.replica.reports != before.reports { decideSoon(node) }
    }

    func restore(_ node: SimulatedNode, _ shard: Int) {
        attempts += 1
        node.process?.replica.awaited[shard] = attempts
        schedule(.restored(shard, attempt: attempts), node, after: draw(5...120))
    }

    func restored(_ node: SimulatedNode, _ number: Int, _ attempt: Int) {
        guard node.process?.replica.awaited[number] == attempt else { return }
        guard network.connects(node.number, Network.log) else {
            schedule(.restored(number, attempt: attempt), node, after: .milliseconds(200))
            return
        }
        do throws(LogError) {
            let partition = PartitionID(number)
            let lineage = try log.lineage(of: partition)
            let end = try log.endOffset(of: partition)
            let earliest = try log.earliestOffset(of: partition)
            let tracks = variant == .usesOtherEngines ? TrackTable.builtIn : node.tracks
            let loader = ShardLoader(store: node.disk, partition: partition, tracks: tracks, lineage: lineage)
            var shard = try loader.newest(where: { $0.next <= end }) ?? Shard(partition: partition, tracks: node.tracks)
            checkEngines(node, number, shard)
            if let fetched = peerShard(node, number, lineage), fetched.next > shard.next { shard = fetched }
            shard.lineage = lineage
            if shard.next < earliest {
                hasLost.insert(number)
                shard.skip(to: earliest)
            }
            if variant == .skipsAfterRestore, shard.next > .zero, shard.next < end { shard.skip(to: shard.next + 1) }
            node.process?.replica.awaited[number] = nil
            node.process?.replica.hosted[number] = .init(shard)
            note("n\(node.number) restores shard \(number) at \(shard.next)")
            announce(node, number)
            schedule(.fold(number), node, after: draw(1...20))
            decideSoon(node)
        } catch { violate("\(error)") }
    }

    private func checkEngines(_ node: SimulatedNode, _ number: Int, _ shard: Shard) {
        guard let maker = node.engines[.init(shard: number, offset: shard.next.value)] else { return }
        if maker != Shard.engineVersion(node.tracks) {
            violate("n\(node.number) goes on from a state of shard \(number) that other engines made")
        }
    }

    private func peerShard(_ node: SimulatedNode, _ number: Int, _ lineage: UInt64?) -> Shard? {
        guard let view = node.process?.view, lineage != nil else { return nil }
        for id in view.live(number) where id != node.id {
            guard let place = placeOf[id], network.connects(node.number, place), !nodes[place].isPaused,
                let hosted = nodes[place].process?.replica.hosted[number], hosted.isLive
            else { continue }
            let bytes = hosted.shard.snapshot(at: timestamp).encode()
            do throws(SnapshotError) {
                let snapshot = try Snapshot.decode(
                    bytes, expecting: .init(engineVersion: Shard.engineVersion(node.tracks), lineage: lineage))
                return try Shard(snapshot, partition: PartitionID(number), tracks: node.tracks)
            } catch { note("n\(node.number) skips the state of \(id): \(error)") }
        }
        return nil
    }

    func foldSoon(_ node: SimulatedNode, _ shard: Int) {
        guard node.process?.replica.hosted[shard] != nil, node.process?.folding.insert(shard).inserted == true else {
            return
        }
        schedule(.fold(shard), node, after: node.slowness > 0 ? draw(100...600) : draw(1...8))
    }

    func fold(_ node: SimulatedNode, _ number: Int) {
        node.process?.folding.remove(number)
        guard let hosted = node.process?.replica.hosted[number] else { return }
        guard network.connects(node.number, Network.log) else {
            node.process?.folding.insert(number)
            schedule(.fold(number), node, after: .milliseconds(100))
            return
        }
        var isTruncated = false
        if variant == .foldsByTimeOfDay, node.clockOffset < .zero, hosted.shard.next.value < oracle.end(number).value {
            hosted.shard.skip(to: hosted.shard.next + 1)
        }
        do throws(LogError) {
            try log.read(PartitionID(number), from: hosted.shard.next, maxBytes: 4 << 10, into: &batch)
        } catch {
            guard case .truncated(_, _, let earliest) = error else { return violate("\(error)") }
            hosted.shard.skip(to: earliest)
            hasLost.insert(number)
            isTruncated = true
        }
        let read = isTruncated ? 0 : batch.entries.count
        if read > 0 { apply(node, number, hosted) }
        let wasLive = hosted.isLive
        hosted.lag = UInt64(max(0, oracle.end(number).value - hosted.shard.next.value))
        if read == 0, !isTruncated, !hosted.isHeldBack { hosted.isLive = true }
        if hosted.isLive, !wasLive {
            if crashInPromotion.remove(node.number) != nil { return crash(node, resets: true) }
            note("n\(node.number) has shard \(number) live at \(hosted.shard.next)")
            announce(node, number)
            if node.process?.replica.isLive == true { becameLive(node) }
            decideSoon(node)
        }
        if read > 0 || isTruncated {
            node.process?.folding.insert(number)
            schedule(.fold(number), node, after: draw(1...4))
        }
    }

    /// Those of these shards that are live are not any more; others that were held back are again.
    func holdBack(_ node: SimulatedNode, _ standing: Set<Int>) {
        for (number, hosted) in (node.process?.replica.hosted ?? [:]).sorted(by: { $0.key < $1.key }) {
            if standing.contains(number), hosted.isLive {
                node.process?.replica.hosted[number]?.isLive = false
                node.process?.replica.hosted[number]?.isHeldBack = true
                note("n\(node.number) holds shard \(number) back at \(hosted.shard.next)")
                released(node, number)
                decideSoon(node)
            } else if hosted.isHeldBack, !standing.contains(number) {
                node.process?.replica.hosted[number]?.isLive = true
                node.process?.replica.hosted[number]?.isHeldBack = false
                note("n\(node.number) has shard \(number) live again at \(hosted.shard.next)")
                announce(node, number)
                decideSoon(node)
            }
        }
    }

    private func apply(_ node: SimulatedNode, _ number: Int, _ hosted: SimulatedReplica.Hosted) {
        if hosted.shard.lineage == nil { hosted.shard.lineage = try? log.lineage(of: PartitionID(number)) }
        outputs.removeAll()
        hosted.shard.apply(batch, decoder: decoder, scratch: &hosted.scratch, into: &outputs)
        hosted.recordsSinceSnapshot += batch.entries.count
        check(node, number, hosted.shard)
        guard !outputs.isEmpty, let lineage = hosted.shard.lineage else { return }
        said(outputs, by: .replica, number, lineage, to: node)
    }

    private func check(_ node: SimulatedNode, _ number: Int, _ shard: Shard) {
        guard !hasLost.contains(number), let expected = oracle.hashes[number][shard.next.value] else { return }
        if shard.stateHash != expected {
            violate("n\(node.number) has another state of shard \(number) at \(shard.next) than the log")
        }
    }

    // MARK: Snapshots

    func takeSnapshots(_ node: SimulatedNode) {
        guard let process = node.process, now - process.snapshotAt >= .seconds(1) else { return }
        node.process?.snapshotAt = now
        for shard in process.replica.hosted.keys.sorted() {
            if tornSnapshots.contains(node.number), process.replica.hosted[shard]?.recordsSinceSnapshot ?? 0 > 0 {
                tornSnapshots.remove(node.number)
                saveSnapshot(node, shard, torn: true)
                return crash(node, resets: true)
            }
            saveSnapshot(node, shard)
        }
    }

    func saveSnapshot(_ node: SimulatedNode, _ number: Int, torn: Bool = false) {
        guard let hosted = node.process?.replica.hosted[number], hosted.recordsSinceSnapshot > 0 else { return }
        node.process?.replica.hosted[number]?.recordsSinceSnapshot = 0
        let bytes = hosted.shard.snapshot(at: wall(node)).encode()
        let kept = torn ? Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))) : bytes
        node.disk.save(kept, of: PartitionID(number), at: hosted.shard.next)
        node.engines[.init(shard: number, offset: hosted.shard.next.value)] = Shard.engineVersion(node.tracks)
    }
}
