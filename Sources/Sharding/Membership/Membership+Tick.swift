extension Membership {
    /// What is due by time. After every event, so that the order of due things never depends on the shell.
    mutating func tick(
        at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        switch life {
        case .idle, .left: return
        case .leaving:
            gossip(at: now, using: &random, into: &effects)
            departWhenSaid(at: now, into: &effects)
            return
        case .running: break
        }
        if !suspicions.isEmpty {
            expireSuspicions(at: now, using: &random, into: &effects)
            askOldSuspects(at: now)
            askRefusing(at: now, into: &effects)
        }
        expireRelays(at: now, into: &effects)
        advanceProbe(at: now, using: &random, into: &effects)
        retryFetches(at: now, into: &effects)
        gossip(at: now, using: &random, into: &effects)
        sync(at: now, using: &random, into: &effects)
        reconnect(at: now, using: &random, into: &effects)
    }

    /// This node was not given the processor when something was due. What it did not hear meanwhile proves nothing: the
    /// probe under way is void, and suspects get time to be heard.
    mutating func noticePause(at now: Moment) -> Duration? {
        guard let pauseMax = timing.pauseMax, case .running = life, now - deadline > pauseMax else { return nil }
        probe = nil
        health.change(by: 1)
        for node in suspicions.keys { suspicions[node]?.extend(to: now + timing.probePatience) }
        return now - deadline
    }
}
