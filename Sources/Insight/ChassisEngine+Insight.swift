import Telemetry

/// The insight of a car as JSON: Pitwall's fields under Pitwall's names, then ours (docs/insights.md).
extension ChassisEngine {
    package func writeInsight(into json: inout JSONWriter) {
        json.raw("{\"chassis\":")
        json.string(stream.id)
        json.raw(",\"track\":")
        if let trackName { json.string(trackName) } else { json.raw("null") }
        json.raw(",\"lap\":")
        writeLapNumber(into: &json)
        writeStress(into: &json)
        writeMeta(into: &json)
        if lapsText.isEmpty { writeLaps(into: &json) } else { json.raw(lapsText.bytes) }
        json.number(",\"lap_distance_m\":", hasLap ? distance.metres : nil, decimals: 1)
        json.raw(",\"distance_estimated\":")
        json.bool(distance.isEstimated)
        json.number(",\"speed_kmh\":", speed, decimals: 2)
        json.raw(",\"time\":")
        json.timestamp(time)
        json.raw(",\"alerts\":")
        if alertsText.isEmpty { write(alerts.active, into: &json) } else { json.raw(alertsText.bytes) }
        json.raw("}")
    }

    /// What changes with laps only. Said at most points of a lap again, so `lapsText` keeps it.
    func writeLaps(into json: inout JSONWriter) {
        writeDegradation(into: &json)
        json.raw(",\"last_lap\":")
        write(lastLap, into: &json)
        json.raw(",\"best_lap\":")
        write(bestLap, into: &json)
        json.raw(",\"laps_completed\":")
        json.integer(Int(lapsCompleted))
        json.raw(",\"laps_started\":")
        json.integer(Int(lapsStarted))
    }

    private func writeLapNumber(into json: inout JSONWriter) {
        if hasLap, unknownPoints < ChassisEngine.unknownLimit {
            json.integer(Int(lap.number))
        } else {
            json.raw("null")
        }
    }

    private func writeStress(into json: inout JSONWriter) {
        let stress = lap.stress
        let loss = TyreWear.predictedLoss(stress: stress)
        json.number(",\"lap_tire_stress\":", stress, decimals: 6)
        json.raw(",\"perSectorStress\":{")
        for sector in track.sectors.indices {
            writeKey(sector, into: &json)
            json.number(hasLap ? lap.sectorStress[sector] : 0, decimals: 6)
        }
        json.number("},\"predicted_loss_per_lap_seconds\":", loss, decimals: 3)
        json.number(",\"laps_until_0_5s_loss\":", TyreWear.lapsUntilHalfSecond(loss: loss), decimals: 2)
    }

    private func writeMeta(into json: inout JSONWriter) {
        json.number(",\"meta\":{\"avgSpeed\":", lap.speed.mean, decimals: 2)
        json.number(",\"maxSpeed\":", lap.speed.largest, decimals: 2)
        json.number(",\"avgAcceleration\":", lap.acceleration.mean, decimals: 3)
        json.number(",\"maxAcceleration\":", lap.acceleration.largest, decimals: 3)
        json.number(",\"avgBraking\":", lap.braking.mean, decimals: 2)
        json.number(",\"maxBraking\":", lap.braking.largest, decimals: 2)
        json.number(",\"avgCornering\":", lap.cornering.mean, decimals: 2)
        json.number(",\"maxCornering\":", lap.cornering.largest, decimals: 2)
        json.number(",\"consistency\":", lap.pace.consistency, decimals: 2)
        json.raw(",\"performanceTrend\":\"")
        json.raw(trend.name)
        json.raw("\",\"sectorTimes\":{")
        for sector in track.sectors.indices {
            writeKey(sector, into: &json)
            json.number(hasLap ? lap.seconds(ofSector: sector, until: nil) : nil, decimals: 3)
        }
        json.raw("},\"pointCount\":")
        json.integer(Int(lap.pointCount))
        json.raw("}")
    }

    private func writeDegradation(into json: inout JSONWriter) {
        json.raw(",\"degradation_s_per_lap\":")
        if let estimate = degradation.estimate {
            json.number("{\"value\":", estimate.value, decimals: 4)
            json.number(",\"low\":", estimate.low, decimals: 4)
            json.number(",\"high\":", estimate.high, decimals: 4)
            json.raw(",\"laps\":")
            json.integer(estimate.laps)
            json.raw("}")
        } else {
            json.raw("null")
        }
        json.raw(",\"laps_excluded\":[")
        var isFirst = true
        for lap in degradation.laps where lap.verdict != .clean {
            if !isFirst { json.comma() }
            isFirst = false
            json.raw("{\"lap\":")
            json.integer(Int(lap.number))
            json.raw(",\"reason\":\"")
            json.raw(lap.verdict.name)
            json.raw("\"}")
        }
        json.raw("]")
    }

    private func write(_ result: LapResult?, into json: inout JSONWriter) {
        guard let result else { return json.raw("null") }
        json.raw("{\"lap\":")
        json.integer(Int(result.number))
        json.number(",\"seconds\":", result.seconds, decimals: 3)
        json.raw(",\"sectors\":{")
        for (sector, seconds) in result.sectors.enumerated() {
            writeKey(sector, into: &json)
            json.number(seconds, decimals: 3)
        }
        json.number("},\"tire_stress\":", result.stress, decimals: 6)
        json.raw(",\"exact\":")
        json.bool(result.isExact)
        json.raw(",\"settled\":")
        json.bool(result.isSettled)
        json.raw("}")
    }

    /// `"0":`, with a comma before all but the first.
    private func writeKey(_ index: Int, into json: inout JSONWriter) {
        json.raw(index == 0 ? "\"" : ",\"")
        json.integer(index)
        json.raw("\":")
    }
}
