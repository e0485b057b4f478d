using Twin.Detection.Evaluation;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest;
using Twin.Ingest.Feed;

namespace Twin.Silo.Evaluation;

/// <summary>The recorded homes of an evaluation, on one grid, and how many there were and were not fit.</summary>
/// <param name="Homes">In the order of their ids' hashes.</param>
/// <param name="IntervalMinutes">Of all of them.</param>
/// <param name="FirstDay">Local day number of the first of <see cref="Protocol.Days"/> days.</param>
/// <param name="Meters">Customers' meters with readings of energy that were read.</param>
/// <param name="TooShort">Of those, left out: fewer readings than needed in these days.</param>
/// <param name="OtherInterval">Of those, left out: another interval length than most.</param>
internal sealed record RecordedHomes(IReadOnlyList<RecordedHome> Homes, int IntervalMinutes, int FirstDay, int Meters,
    int TooShort, int OtherInterval);

/// <summary>Reads recorded telemetry as <c>replay</c> does and lays it on the evaluation's grid.</summary>
internal sealed class HomeReader
{
    /// <summary>Meters kept: beyond it those whose ids have the smaller hashes stay, whatever the order.</summary>
    private const int MaxMeters = 2000;

    /// <summary>Days kept of a meter, from its first on: what is later takes no part.</summary>
    private const int MaxDaysKept = 800;

    private const int LongestInterval = 60;

    private sealed class Track
    {
        public string Name = "", Zone = "";
        public MeterRole Role;
        public (string, string, string) Cohort = ("", "", "");
        public int IntervalMinutes;
        public long? OffsetMinutes;
        public readonly SortedDictionary<int, (int[] Slots, Quality[]? Qualities)> Days = [];
    }

    private readonly Dictionary<MeterId, Track> _tracks = [];
    private ulong _largestHash = ulong.MaxValue;

    private HomeReader()
    {
    }

    /// <exception cref="FormatError">Nothing readable, or too little for an evaluation.</exception>
    public static RecordedHomes Read(FeedOptions options, CancellationToken cancel)
    {
        var reader = new HomeReader();
        using (var feed = new FeedReader(options))
        {
            feed.Read();
            var batch = new InputBatch(FeedReader.Source);
            while (feed.Next(batch))
            {
                cancel.ThrowIfCancellationRequested();
                for (var i = 0; i < batch.Count; i++) reader.Take(batch[i]);
            }
        }
        return reader.Lay(string.Join(", ", options.Paths));
    }

    /// <summary>The homes whose history a journal has.</summary>
    /// <exception cref="FormatError">Too little for an evaluation.</exception>
    public static RecordedHomes Of(IJournal journal, string what, CancellationToken cancel)
    {
        var reader = new HomeReader();
        journal.Read(0, (_, input) =>
        {
            cancel.ThrowIfCancellationRequested();
            reader.Take(input);
        });
        return reader.Lay(what);
    }

    private void Take(ReadOnlySpan<byte> input)
    {
        switch (Envelope.Read(input).Kind)
        {
            case InputKind.ReadingBlock:
                Take(ReadingBlock.Read(input));
                break;
            case InputKind.MeterSeen when Input.Read(input) is MeterSeen seen && Of(seen.Meter) is { } track:
                track.Name = seen.Name;
                if (seen.Zone.Length > 0) track.Zone = seen.Zone;
                break;
            case InputKind.MeterRelation when Input.Read(input) is MeterRelation r && Of(r.Meter) is { } track:
                if (r.Name.Length > 0) track.Name = r.Name;
                if (r.Zone.Length > 0 && track.Zone.Length == 0) track.Zone = r.Zone;
                (track.Role, track.Cohort) = (r.Role, (r.Model, r.Firmware, r.Lot));
                break;
        }
    }

    private Track? Of(MeterId meter)
    {
        var hash = StableHash.Mix(meter.Value);
        if (hash > _largestHash) return null;
        if (_tracks.TryGetValue(meter, out var known)) return known;
        _tracks[meter] = known = new Track();
        if (_tracks.Count <= MaxMeters) return known;
        var last = _tracks.Keys.MaxBy(id => StableHash.Mix(id.Value));
        _tracks.Remove(last);
        _largestHash = StableHash.Mix(last.Value) - 1;
        return last == meter ? null : known;
    }

    private void Take(in ReadingBlock block)
    {
        if (block.Channel != Channel.Import || Of(block.Meter) is not { } track || block.IntervalMinutes == 0
            || 1440 % block.IntervalMinutes != 0) return;
        if (track.IntervalMinutes == 0) track.IntervalMinutes = block.IntervalMinutes;
        if (track.IntervalMinutes != block.IntervalMinutes) return;
        track.OffsetMinutes ??= OffsetOf(track.Zone, block.StartMinute);
        var (values, qualities) = (new int[block.Count], new Quality[block.Count]);
        block.DecodeValues(values);
        block.DecodeQualities(qualities);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] == ReadingBlock.Missing) continue;
            var local = block.StartMinute + (long)i * block.IntervalMinutes + track.OffsetMinutes.Value;
            var day = checked((int)Math.Floor(local / 1440.0));
            var slot = (int)((local - day * 1440L) / block.IntervalMinutes);
            Put(track, day, slot, values[i], qualities[i]);
        }
    }

    private static void Put(Track track, int day, int slot, int value, Quality quality)
    {
        var n = 1440 / track.IntervalMinutes;
        if (!track.Days.TryGetValue(day, out var kept))
        {
            if (track.Days.Count >= MaxDaysKept) return;
            kept.Slots = new int[n];
            kept.Slots.AsSpan().Fill(ReadingBlock.Missing);
            track.Days[day] = kept;
        }
        kept.Slots[slot] = value;
        if (quality == Quality.Actual) return;
        if (kept.Qualities is null)
        {
            kept.Qualities = new Quality[n];
            kept.Qualities.AsSpan().Fill(Quality.Actual);
            track.Days[day] = kept;
        }
        kept.Qualities[slot] = quality;
    }

    /// <summary>
    /// Minutes that local time is ahead of UTC on a meter's first day. A later change to or from summer time does not
    /// move the grid: a set's days all have 24 hours.
    /// </summary>
    private static long OffsetOf(string zone, long minute)
    {
        if (zone.Length == 0 || !ZoneRules.TryGet(zone, out var rules)) return 0;
        var day = rules.DayOf(minute);
        return day.Number * 1440L - day.StartMinute;
    }

    private RecordedHomes Lay(string what)
    {
        var homes = _tracks.Values.Where(t => t.Role == MeterRole.Customer && t.Days.Count > 0).ToArray();
        if (homes.Length == 0)
            throw new FormatError(what, "holds no readings of imported energy of customers.",
                "An evaluation needs interval readings of homes.");
        var interval = homes.GroupBy(t => t.IntervalMinutes).OrderByDescending(g => g.Count()).ThenBy(g => g.Key)
            .First().Key;
        if (interval > LongestInterval)
            throw new FormatError(what, $"holds readings of {interval} minutes.",
                $"An evaluation changes the shape of days: give readings of {LongestInterval} minutes or less.");
        var same = homes.Where(t => t.IntervalMinutes == interval).ToArray();
        var longest = same.Max(t => t.Days.Keys.Last() - t.Days.Keys.First() + 1);
        if (longest < Protocol.Days)
            throw new FormatError(what, $"holds {longest} days at most of a home.",
                $"An evaluation plays {Protocol.Days} days: give files of {Protocol.Days} days or more.");
        var first = BestFirstDay(same, 1440 / interval);
        var fit = same.Where(t => IsFit(t, first, 1440 / interval)).OrderBy(t => StableHash.Mix(StableHash.Of(t.Name)))
            .ThenBy(t => t.Name, StringComparer.Ordinal).Select(t => Home(t, first, 1440 / interval)).ToArray();
        if (fit.Length == 0)
            throw new FormatError(what, $"no home has {Protocol.FewestReadings:p0} of its readings in any "
                + $"{Protocol.Days} days.", "Give homes with fewer gaps.");
        return new RecordedHomes(fit, interval, first, homes.Length, same.Length - fit.Length,
            homes.Length - same.Length);
    }

    private static bool IsFit(Track track, int first, int slotsPerDay) =>
        Present(track, first) >= Protocol.FewestReadings * Protocol.Days * slotsPerDay;

    private static int Present(Track track, int first)
    {
        var present = 0;
        for (var d = first; d < first + Protocol.Days; d++)
            if (track.Days.TryGetValue(d, out var day)) present += day.Slots.AsSpan().Length
                - day.Slots.AsSpan().Count(ReadingBlock.Missing);
        return present;
    }

    /// <summary>The first day of the stretch in which most homes are fit; of equal ones the earliest.</summary>
    private static int BestFirstDay(Track[] tracks, int slotsPerDay)
    {
        var from = tracks.Min(t => t.Days.Keys.First());
        var to = tracks.Max(t => t.Days.Keys.Last()) - Protocol.Days + 1;
        var fit = new int[Math.Max(1, to - from + 1)];
        foreach (var t in tracks)
        {
            var present = new int[fit.Length + Protocol.Days];
            for (var i = 0; i < present.Length; i++)
                present[i] = t.Days.TryGetValue(from + i, out var day)
                    ? slotsPerDay - day.Slots.AsSpan().Count(ReadingBlock.Missing) : 0;
            var sum = present[..Protocol.Days].Sum();
            for (var i = 0; i < fit.Length; i++)
            {
                if (sum >= Protocol.FewestReadings * Protocol.Days * slotsPerDay) fit[i]++;
                sum += present[i + Protocol.Days] - present[i];
            }
        }
        return from + Array.IndexOf(fit, fit.Max());
    }

    private static RecordedHome Home(Track track, int first, int slotsPerDay)
    {
        var told = new int[Protocol.Days * slotsPerDay];
        told.AsSpan().Fill(ReadingBlock.Missing);
        Quality[]? qualities = null;
        for (var d = 0; d < Protocol.Days; d++)
        {
            if (!track.Days.TryGetValue(first + d, out var day)) continue;
            day.Slots.CopyTo(told, d * slotsPerDay);
            if (day.Qualities is null) continue;
            if (qualities is null)
            {
                qualities = new Quality[told.Length];
                qualities.AsSpan().Fill(Quality.Actual);
            }
            day.Qualities.CopyTo(qualities, d * slotsPerDay);
        }
        return new RecordedHome(track.Name, track.Cohort, told, RecordedHome.Fill(told, slotsPerDay), qualities);
    }
}
