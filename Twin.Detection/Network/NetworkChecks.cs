using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Network;

/// <summary>
/// What the routes of one concentrator give away: meters that fall silent together behind one hop (domain scenario
/// T33), a neighbour that draws routes to itself (sinkhole), and a latency that steps up (somebody in between).
/// </summary>
public sealed class NetworkChecks
{
    /// <summary>Meters behind a hop, and the share of them, that must be silent; of all others, that may be.</summary>
    private const int FewestSilent = 3;
    private const double SilentShare = 0.75, OthersShare = 0.25;

    /// <summary>Routes that one neighbour attracts within a day: this many, and this share of all.</summary>
    private const int FewestGained = 6;
    private const double GainedShare = 0.20;

    /// <summary>
    /// A step of latency: this many reports in a row above usual + 6 mean deviations, + half, + 50 ms.
    /// </summary>
    private const int StepReports = 4, StepDeviations = 6, StepMs = 50, WarmReports = 24;
    private const byte EncodingVersion = 1;

    private long _latency16, _deviation16, _aboveFrom;
    private int _reports, _above;
    private bool _stepStated;

    /// <summary>Usual median latency, ms.</summary>
    public long UsualLatencyMs => _latency16 / 16;

    public void Judge(RouteTable routes, int latencyMs, int reportSeconds, UnixTime at, ContextFlags context,
        in Party self, IFindingSink findings)
    {
        var innocent = (context & (ContextFlags.Outage | ContextFlags.PlannedWork)) != 0;
        JudgeSilence(routes, reportSeconds, at, innocent, self, findings);
        foreach (var n in routes.Neighbours.ToArray()) JudgeAttraction(routes, n, at, innocent, self, findings);
        JudgeLatency(routes, latencyMs, at, innocent, self, findings);
    }

    /// <summary>What lies behind one hop, over however many relays.</summary>
    private record struct Behind(int Members, int Silent, int Direct, long Since);

    /// <summary>Most hops that a route is followed; relays that name each other end there.</summary>
    private const int MaxHops = 16;

    private static void JudgeSilence(RouteTable routes, int reportSeconds, UnixTime at, bool innocent, in Party self,
        IFindingSink findings)
    {
        var behind = new Dictionary<ulong, Behind>();
        var (warm, silent) = (0, 0);
        foreach (var m in routes.Members)
        {
            if (!m.IsWarm) continue;
            var isSilent = m.IsSilent(at.Seconds, reportSeconds);
            (warm, silent) = (warm + 1, silent + (isSilent ? 1 : 0));
            var hop = m.Via;
            for (var n = 0; hop != 0 && n < MaxHops; n++)
            {
                var b = behind.GetValueOrDefault(hop, new Behind(0, 0, 0, long.MaxValue));
                behind[hop] = new Behind(b.Members + 1, b.Silent + (isSilent ? 1 : 0), b.Direct + (n == 0 ? 1 : 0),
                    isSilent ? Math.Min(b.Since, m.LastHeard) : b.Since);
                hop = routes.Find(hop) is >= 0 and var i ? routes.Members[i].Via : 0;
            }
        }
        foreach (var hop in routes.Neighbours.ToArray())
        {
            var isTogether = behind.TryGetValue(hop.Id, out var b) && IsTogether(b);
            if (!isTogether)
            {
                if (hop.SilenceFrom != 0) routes.Set(hop with { SilenceFrom = 0 });
                continue;
            }
            var place = routes.Find(hop.Id);
            var above = place >= 0 ? routes.Members[place].Via : 0;
            // The cause lies with the hop nearest to the concentrator.
            if (above != 0 && behind.TryGetValue(above, out var more) && IsTogether(more)) continue;
            var speaks = place >= 0 && !routes.Members[place].IsSilent(at.Seconds, reportSeconds);
            var others = warm - b.Members - (place >= 0 && !speaks ? 1 : 0);
            var othersSilent = silent - b.Silent - (place >= 0 && !speaks ? 1 : 0);
            if (hop.SilenceFrom != 0 || innocent || others < FewestSilent || othersSilent > OthersShare * others)
                continue;
            routes.Set(hop with { SilenceFrom = b.Since });
            findings.Add(Silence(hop.Id, b, speaks, others, othersSilent, at, self));
        }
    }

    private static bool IsTogether(in Behind b) => b.Silent >= FewestSilent && b.Silent >= SilentShare * b.Members;

    private static Finding Silence(ulong hop, in Behind b, bool speaks, int others, int othersSilent, UnixTime at,
        in Party self)
    {
        var counter = new List<string>(2);
        if (!speaks) counter.Add("the relay itself is silent too: it may be broken or without power");
        else if (b.Direct == 1) counter.Add("one broken relay behind it would look the same");
        return FleetStatements.Make(self, FindingKind.CorrelatedSilence, new UnixTime(b.Since), at, at, 3,
            counter.Count == 0 ? Severity.High : speaks ? Severity.Medium : Severity.Low, 0.8, FleetStatements.Silence,
            "T0804",
            $"{b.Silent} of {b.Members} meters behind relay {new MeterId(hop)} fell silent together, while "
                + $"{others - othersSilent} of {others} other meters of concentrator {self.Name} are heard"
                + (speaks ? " and the relay itself still speaks: it is the suspect." : "."),
            [
                new Evidence("silent_behind_hop", b.Silent, 0, 0.7, ""),
                new Evidence("silent_elsewhere", othersSilent, 0, 0.3, ""),
                new Evidence($"suspect_hop {new MeterId(hop)}", 1, 0, 0, ""),
            ], [.. counter]);
    }

    private static void JudgeAttraction(RouteTable routes, Neighbour n, UnixTime at, bool innocent, in Party self,
        IFindingSink findings)
    {
        var draws = n.Gained >= FewestGained && n.Gained >= GainedShare * routes.Members.Count
            && 2 * n.Gained >= n.Children;
        var isStated = n.AttractionFrom != 0 && at.Seconds - n.AttractionFrom < 7 * RouteTable.GainSeconds;
        if (!draws || innocent || isStated) return;
        routes.Set(n with { AttractionFrom = at.Seconds });
        var loses = n.Lost + n.Duplicates > (n.Heard + n.Lost) / 4;
        findings.Add(FleetStatements.Make(self, FindingKind.RouteAnomaly, new UnixTime(n.GainedFrom), at, at, 2.5,
            loses ? Severity.High : Severity.Medium, 0.8, FleetStatements.Routes, "T0830",
            $"Within a day {n.Gained} of {routes.Members.Count} meters of concentrator {self.Name} left relays that "
                + $"are still heard and now go over {new MeterId(n.Id)}"
                + (loses ? ", which loses or repeats much of their traffic." : "."),
            [
                new Evidence("routes_attracted", n.Gained, 0, 0.7, ""),
                new Evidence("frames_lost_or_repeated", n.Lost + n.Duplicates, 0, 0.3, ""),
                new Evidence($"suspect_hop {new MeterId(n.Id)}", 1, 0, 0, ""),
            ], "a newly mounted or better placed relay attracts routes too"));
    }

    private void JudgeLatency(RouteTable routes, int latencyMs, UnixTime at, bool innocent, in Party self,
        IFindingSink findings)
    {
        var usual = _latency16 / 16;
        var limit = usual + Math.Max(StepMs, Math.Max(usual / 2, StepDeviations * _deviation16 / 16));
        var isHigh = _reports >= WarmReports && latencyMs > limit;
        if (isHigh && ++_above == 1) _aboveFrom = at.Seconds;
        if (!isHigh)
        {
            (_above, _stepStated) = (0, false);
            var sample = Math.Min(latencyMs, 3_600_000) * 16L;
            if (_reports == 0) _latency16 = sample;
            _deviation16 += (Math.Abs(sample - _latency16) - _deviation16) / 8;
            _latency16 += (sample - _latency16) / 8;
            _reports = Math.Min(_reports + 1, 1_000);
            return;
        }
        if (_above < StepReports || _stepStated || innocent) return;
        _stepStated = true;
        var hop = routes.Neighbours.Where(n => n.Gained >= FewestGained / 2).OrderByDescending(n => n.Gained)
            .FirstOrDefault();
        var named = hop.Id != 0;
        findings.Add(FleetStatements.Make(self, FindingKind.RouteAnomaly, new UnixTime(_aboveFrom), at, at, 1.5,
            named ? Severity.Medium : Severity.Low, 0.7, FleetStatements.Routes, "T0830",
            $"The latency of concentrator {self.Name} stepped from {usual} to {latencyMs} ms and stays"
                + (named ? $", since routes moved to {new MeterId(hop.Id)}." : "."),
            [new Evidence("latency", latencyMs, usual, 1, "ms")],
            "congestion or a changed radio path also slows a network down"));
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarInt(_latency16);
        to.VarInt(_deviation16);
        to.VarInt(_aboveFrom);
        to.VarUInt((ulong)_reports);
        to.VarUInt((ulong)_above);
        to.Bool(_stepStated);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static NetworkChecks Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "the checks of a network");
        return new NetworkChecks
        {
            _latency16 = r.Int(), _deviation16 = r.Int(), _aboveFrom = Codes.ReadSeconds(ref r),
            _reports = r.Count(1_000), _above = r.Count(int.MaxValue - 1), _stepStated = r.Bool(),
        };
    }
}
