using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Dlms;
using Twin.Ingest.Profiles;
using Twin.Ingest.Readers;
using Twin.Ingest.Records;
using Twin.Ingest.Text;

namespace Twin.Ingest.Feed;

/// <summary>
/// Reads all files of a feed and gives them out as batches in event-time order: first fleet, registry, context and
/// events, then day by day (UTC) the meters first seen that day and everything of that day: readings, then security
/// facts by their second, with a <see cref="Sweep"/> behind each hour that held some. The same files give the same
/// batches.
/// </summary>
public sealed class FeedReader : IDisposable
{
    /// <summary>The source under which a replay appends.</summary>
    public const string Source = "replay";

    private readonly FeedOptions _options;
    private readonly MeterTable _meters = new();
    private readonly BlockSorter _sorter;
    private readonly BlockBuilder _builder;
    private readonly Rejects _rejects;
    private readonly RowContext _context;
    private readonly List<string> _errors = [];
    private readonly RecordFeed _records;
    private SortedRun? _sorted;
    private BlockMerger? _merger;
    private FeedMeter[] _arrivals = [];
    private int _nextArrival;
    private int _nextRecord;
    private bool _hasBlock;
    private bool _ended;

    /// <summary>End of the hour (second) that held security facts not yet swept; null: none are waiting.</summary>
    private long? _sweepAt;
    private int _files;
    private FrameTotals _frames;
    private long _bytesBefore;
    private long _bytesTotal;

    public FeedReader(FeedOptions options)
    {
        _options = options;
        _sorter = new BlockSorter(options.SortMemoryBytes, options.TempDirectory);
        _builder = new BlockBuilder(_sorter);
        _rejects = new Rejects(options.Rejects);
        _context = new RowContext(_meters, _builder, _rejects);
        _records = new RecordFeed(_meters, _rejects);
    }

    /// <summary>Reads everything.</summary>
    /// <exception cref="FormatError">A path that was named cannot be read, or nothing could.</exception>
    public void Read()
    {
        foreach (var f in _options.FleetFiles) _records.ReadFleet(f);
        foreach (var f in _options.RegistryFiles) _records.ReadRegistry(f);
        foreach (var f in _options.ContextFiles) _records.ReadContext(f);
        foreach (var f in _options.EventFiles) _records.ReadEvents(f);
        ReadSecurity();
        var files = SourceFile.Expand(_options.Paths);
        _bytesTotal = files.Sum(static f => f.File.Length);
        foreach (var (file, named) in files)
        {
            ReadFile(file, named);
            file.Done();
            _bytesBefore += file.Length;
        }
        if (_files == 0 && _options.Paths.Count > 0)
        {
            var why = _errors.Count > 0 ? _errors[0] : "no file holds interval readings.";
            throw new FormatError(string.Join(", ", _options.Paths), $"nothing was readable: {why}",
                "Give files of interval readings, or --profile.");
        }
        var nothing = _sorter.Count == 0 && _records.Inputs.Count == 0 && _frames == default;
        if (nothing && (_errors.Count > 0 || _rejects.First.Count > 0))
        {
            throw new FormatError(string.Join(", ", _options.Paths), "nothing was readable: "
                + (_errors.Count > 0 ? _errors[0] : "every row was rejected, the first as " + _rejects.First[0] + "."),
                "Give the right profile with --profile.");
        }
        _sorted = _sorter.Sorted();
        _merger = new BlockMerger(_sorted);
        _arrivals = [.. _meters.All.Where(static m => m.FirstDay != int.MaxValue).OrderBy(static m => m.FirstDay)
            .ThenBy(static m => m.Id)];
    }

    private void ReadSecurity()
    {
        using var anchors = _options.TrustAnchors is { } path ? TrustAnchors.Read(path) : null;
        foreach (var f in _options.SecurityFiles) _records.ReadSecurity(f, anchors);
        foreach (var r in _records.Security)
        {
            var meter = r.Meter.Length == 0 ? null : _meters.Find("", r.Meter);
            _builder.AddInPlace(meter, r.Input, r.At);
        }
    }

    private void ReadFile(SourceFile file, bool named)
    {
        if (file.IsNdjson)
        {
            ReadObservations(file);
            return;
        }
        if (_options.Profile is null && FrameSniff.Look(file) is { } frames)
        {
            ReadFrames(file, frames);
            return;
        }
        if (!named && file.IsCapture) return;
        Sniff sniff;
        try
        {
            sniff = Sniffer.Inspect(file, _options.Profile);
            if (sniff.Profile.Shape != FileShape.Json && !HasColumns(sniff)) throw NoColumns(sniff);
        }
        catch (FormatError e) when (!named)
        {
            _options.Message?.Invoke($"left out: {e.Message}");
            return;
        }
        _options.Message?.Invoke(sniff.Describe());
        _files++;
        Begin(file);
        using var stream = file.Open();
        var damage = sniff.Profile.Shape == FileShape.Json
            ? JsonRecords.ReadFile(_context, sniff.Profile, sniff.IntervalMinutes, stream)
            : ReadCsv(sniff, stream);
        Note(file, damage);
    }

    private static bool HasColumns(Sniff s) => s.Profile.TimeColumns.All(s.Header.Contains);

    private static FormatError NoColumns(Sniff s) => new(s.File, string.Concat("has no column '",
        s.Profile.TimeColumns.First(c => !s.Header.Contains(c)), "'; it has ", LongReader.Shown(s.Header), "."),
        $"Profile '{s.Profile.Name}' does not fit: correct it, or leave the file out.");

    private void Begin(SourceFile file)
    {
        _context.Begin(file.Path, file.Stem);
        _context.Pulse = () => _options.Progress?.Invoke(
            new FeedProgress(_context.Rows, _builder.Readings, _bytesBefore + file.Position, _bytesTotal, 0));
    }

    private void Note(SourceFile file, string? damage)
    {
        if (damage is null) return;
        var error = $"{file.Path}: {damage} What came before it was read. Fetch the file again.";
        _errors.Add(error);
        _options.Message?.Invoke(error);
    }

    private string? ReadCsv(Sniff sniff, Stream stream)
    {
        using var lines = new ByteLines(sniff.File, stream);
        ReadOnlySpan<byte> first;
        do
        {
            if (!lines.Next(out first)) return lines.Damage;
        } while (first.Trim(" \t"u8).IsEmpty);
        if (sniff.Profile.Shape == FileShape.CsvWide)
            new WideReader(_context, sniff.Profile, sniff.Header, sniff.IntervalMinutes!.Value).Read(lines);
        else LongReader.Read(_context, sniff.Profile, sniff.Header, sniff.IntervalMinutes, lines);
        return lines.Damage;
    }

    private void ReadObservations(SourceFile file)
    {
        _files++;
        Begin(file);
        _options.Message?.Invoke($"{file.Path}: NDJSON observations.");
        using var stream = file.Open();
        using var lines = new ByteLines(file.Path, stream);
        ObservationFile.Read(_context, lines);
        Note(file, lines.Damage);
    }

    private void ReadFrames(SourceFile file, FrameFileKind kind)
    {
        _files++;
        Begin(file);
        _options.Message?.Invoke($"{file.Path}: {kind.Describe()}.");
        var frames = new FrameFile(_context, kind, _options.Frames, _options.FrameMeter, _options.FrameZone,
            _options.ListEnergyWh);
        using var stream = file.Open();
        Note(file, frames.Read(stream));
        _frames = new FrameTotals(_frames.Valid + frames.Valid, _frames.Rejected + frames.Rejected);
        if (frames.NoiseBytes > 0)
            _options.Message?.Invoke($"{file.Path}: {frames.NoiseBytes} bytes belong to no frame.");
        if (frames.WithoutZone > 0)
            _options.Message?.Invoke($"{file.Path}: {frames.WithoutZone} clocks tell no distance to UTC and were taken "
                + "as UTC; give --zone if the meter's clock is another.");
        if (frames.WithoutUnit > 0)
            _options.Message?.Invoke($"{file.Path}: {frames.WithoutUnit} energies tell no unit and were left out; give "
                + "--list-energy-wh 1 or 10 (Kamstrup counts 10 Wh in Norway, 1 Wh elsewhere).");
    }

    /// <summary>
    /// Fills the batch with the next inputs, at most <see cref="FeedOptions.BatchItems"/>; false when nothing is left.
    /// The last input is <see cref="SourceEnded"/>.
    /// </summary>
    public bool Next(InputBatch batch)
    {
        var merger = _merger ?? throw new InvalidOperationException("Read comes first.");
        batch.Clear();
        while (batch.Count < _options.BatchItems && !batch.IsFull)
        {
            if (_nextArrival < _arrivals.Length && _arrivals[_nextArrival].FirstDay == int.MinValue)
                batch.Add(_arrivals[_nextArrival++].ToInput());
            else if (_nextRecord < _records.Inputs.Count) batch.Add(_records.Inputs[_nextRecord++]);
            else if (!_hasBlock && !_ended && !(_hasBlock = merger.Next()))
            {
                _ended = _sweepAt is null;
                if (_ended) batch.Add(new SourceEnded(Source));
                else Sweep(batch);
            }
            else if (_ended) break;
            else if (_sweepAt is { } end && IsBehind(merger.Key, end)) Sweep(batch);
            else if (_nextArrival < _arrivals.Length && _arrivals[_nextArrival].FirstDay <= merger.Key.Day)
                batch.Add(_arrivals[_nextArrival++].ToInput());
            else
            {
                batch.Add(merger.Payload);
                NoteFact(merger);
                _hasBlock = false;
            }
        }
        return batch.Count > 0;
    }

    private const long SecondsPerHour = 3600;

    private static bool IsBehind(in SortKey key, long end) =>
        (key.Rank == SortKey.InPlace ? key.At : key.Day * 86_400L) >= end;

    private void NoteFact(BlockMerger merger)
    {
        if (merger.Key.Rank != SortKey.InPlace || Input.EventTime(merger.Payload) is null) return;
        var at = merger.Key.At;
        _sweepAt = at - ((at % SecondsPerHour) + SecondsPerHour) % SecondsPerHour + SecondsPerHour;
    }

    private void Sweep(InputBatch batch)
    {
        if (_sweepAt is { } end) batch.Add(new Sweep(new UnixTime(Math.Min(end, UnixTime.MaxSeconds))));
        _sweepAt = null;
    }

    /// <summary>An input that admission refused.</summary>
    public void Refused(string describe, string reason) =>
        _rejects.Row("", 0, 0, "", reason, System.Text.Encoding.UTF8.GetBytes(describe));

    /// <summary>What reading found so far; the counts of admission are the caller's.</summary>
    public FeedTotals Totals(in AppendTotals appended) => new(_files, _meters.Count, _context.Rows, _builder.Readings,
        appended.Readings, appended.Duplicates, appended.Revisions, appended.Late,
        _rejects.Rows - appended.RejectedItems, _rejects.Cells, appended.RejectedItems, _context.MissingTokens,
        _context.Rounded, _merger?.Missing ?? 0, _frames, _errors, _rejects.First);

    public void Dispose()
    {
        _sorted?.Dispose();
        _sorter.Dispose();
        _rejects.Dispose();
    }
}
