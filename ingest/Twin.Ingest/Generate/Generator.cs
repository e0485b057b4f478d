using System.Text;
using Twin.Hardware;
using Twin.Hardware.Emulator;

namespace Twin.Ingest.Generate;

/// <summary>
/// Writes a generated fleet: readings in one format, <c>fleet.csv</c>, <c>context.csv</c> and <c>labels.csv</c>.
/// Streaming: memory does not grow with the number of days.
/// </summary>
public static class Generator
{
    /// <summary>JSON files that are open at once; a larger feeder is made in several passes.</summary>
    private const int MaxOpenFiles = 64;

    /// <exception cref="ArgumentException">The fleet is too large for the format.</exception>
    /// <exception cref="IOException">The directory cannot be written.</exception>
    public static GenerateSummary Write(World world, GenerateOptions options, IProgress<GenerateProgress> progress,
        CancellationToken cancel)
    {
        Directory.CreateDirectory(options.Directory);
        var run = new Run(world, options, progress, cancel);
        switch (options.Format)
        {
            case GenerateFormat.Long: run.Long(); break;
            case GenerateFormat.Wide: run.Wide(); break;
            case GenerateFormat.Json: run.Json(); break;
            default: throw new ArgumentException($"Format {options.Format} is not known. Use Long, Wide or Json.");
        }
        run.Note(RecordFiles.Fleet, RecordFiles.WriteFleet(world, options.Directory));
        run.Note(RecordFiles.Context, RecordFiles.WriteContext(world, options.Directory));
        run.Note(RecordFiles.Labels, RecordFiles.WriteLabels(world, options.Directory));
        return run.Summary();
    }

    private sealed class Run(World world, GenerateOptions options, IProgress<GenerateProgress> progress,
        CancellationToken cancel)
    {
        private readonly List<string> _files = [];
        private readonly string _suffix = options.Gzip ? ".gz" : "";
        private readonly int _interval = world.Options.IntervalMinutes;
        private long _readings, _bytes;

        public void Note(string name, long bytes)
        {
            _files.Add(Path.Combine(options.Directory, name));
            _bytes += bytes;
        }

        public GenerateSummary Summary() => new(_files, world.Fleet.Count, _readings, _bytes);

        private Utf8File Open(string name) => new(Path.Combine(options.Directory, name));

        private void Report(long done, long total)
        {
            cancel.ThrowIfCancellationRequested();
            progress.Report(new GenerateProgress(done, total, _readings));
        }

        public void Long()
        {
            var name = "readings.csv" + _suffix;
            using var to = Open(name);
            to.Text("meter,start,interval_minutes,import_wh,export_wh\n");
            var fleetDay = new FleetDay(world);
            byte[][] heads = [.. world.Fleet.Select(m => Encoding.UTF8.GetBytes(m.Name + ","))];
            for (var day = 0; day < world.Options.Days; day++)
            {
                LateRows(to, day, heads);
                fleetDay.Load(day);
                for (var s = 0; s < fleetDay.Slots; s++)
                {
                    var middle = Middle(day, s);
                    for (var m = 0; m < heads.Length; m++)
                        Row(to, heads[m], middle, fleetDay.Import(m, s), fleetDay.Export(m, s));
                }
                Report(day + 1, world.Options.Days);
            }
            Note(name, to.Complete());
        }

        /// <summary>Backfills come before the first reading of the day on which they arrive.</summary>
        private void LateRows(Utf8File to, int day, byte[][] heads)
        {
            foreach (var b in world.Backfills)
            {
                if (b.ArrivalDay != day) continue;
                for (var d = b.FromDay; d <= b.ToDay; d++)
                {
                    int[] import = new int[world.Slots(d)], export = new int[world.Slots(d)];
                    world.BackfillDay(b, d, import, export);
                    for (var s = 0; s < import.Length; s++)
                        Row(to, heads[b.MeterIndex], Middle(d, s), import[s], export[s]);
                }
            }
        }

        private byte[] Middle(int day, int slot) => Encoding.UTF8.GetBytes($"{Start(day, slot)},{_interval},");

        private string Start(int day, int slot) =>
            UnixTime.FromMinutes(world.LocalDay(day).StartMinute + slot * _interval).ToString();

        /// <summary>A gap in both channels has no row.</summary>
        private void Row(Utf8File to, ReadOnlySpan<byte> head, ReadOnlySpan<byte> middle, int import, int export)
        {
            if (import == ReadingBlock.Missing && export == ReadingBlock.Missing) return;
            to.Ascii(head);
            to.Ascii(middle);
            if (import != ReadingBlock.Missing) Count(to, import);
            to.Ascii(","u8);
            if (export != ReadingBlock.Missing) Count(to, export);
            to.Ascii("\n"u8);
        }

        private void Count(Utf8File to, int value)
        {
            to.Number(value);
            _readings++;
        }

        public void Wide()
        {
            var name = "readings-wide.csv" + _suffix;
            using var to = Open(name);
            to.Text("start_utc");
            foreach (var m in world.Fleet) to.Text("," + m.Name);
            to.Ascii("\n"u8);
            var fleetDay = new FleetDay(world);
            for (var day = 0; day < world.Options.Days; day++)
            {
                fleetDay.Load(day);
                fleetDay.FillBackfills(day);
                for (var s = 0; s < fleetDay.Slots; s++)
                {
                    to.Text(Start(day, s));
                    for (var m = 0; m < world.Fleet.Count; m++) Cell(to, fleetDay.Import(m, s));
                    to.Ascii("\n"u8);
                }
                Report(day + 1, world.Options.Days);
            }
            Note(name, to.Complete());
        }

        private void Cell(Utf8File to, int import)
        {
            to.Ascii(","u8);
            if (import == ReadingBlock.Missing) return;
            to.Thousandths(import);
            _readings++;
        }

        public void Json()
        {
            Directory.CreateDirectory(Path.Combine(options.Directory, "readings-json"));
            long passes = world.Feeders.Sum(f => (f.MeterCount + MaxOpenFiles - 1) / MaxOpenFiles), done = 0;
            for (var f = 0; f < world.Feeders.Count; f++)
                for (var first = 0; first < world.Feeders[f].MeterCount; first += MaxOpenFiles)
                    JsonPass(f, first, Math.Min(MaxOpenFiles, world.Feeders[f].MeterCount - first), done++, passes);
        }

        private void JsonPass(int f, int first, int count, long done, long passes)
        {
            var feeder = world.Feeders[f];
            string[] names = [.. Enumerable.Range(0, count)
                .Select(i => $"readings-json/{world.Fleet[feeder.FirstMeter + first + i].Name}.json{_suffix}")];
            var files = new List<JsonFile>(count);
            try
            {
                foreach (var name in names) files.Add(new JsonFile(Open(name)));
                for (var day = 0; day < world.Options.Days; day++)
                {
                    JsonDay(f, first, day, files);
                    if (day % 64 == 0) Report(done * world.Options.Days + day, passes * world.Options.Days);
                }
                for (var i = 0; i < count; i++) Note(names[i], files[i].Complete());
            }
            finally
            {
                foreach (var file in files) file.Dispose();
            }
            Report((done + 1) * world.Options.Days, passes * world.Options.Days);
        }

        private void JsonDay(int f, int first, int day, List<JsonFile> files)
        {
            var feeder = world.Feeders[f];
            var slots = world.Slots(day);
            int[] import = new int[feeder.MeterCount * slots], export = new int[feeder.MeterCount * slots];
            world.FeederDay(day, f, import, export);
            foreach (var b in world.Backfills)
            {
                var row = (b.MeterIndex - feeder.FirstMeter) * slots;
                if (row >= 0 && row < import.Length && day >= b.FromDay && day <= b.ToDay)
                    FleetDay.Merge(world, b, day, import.AsSpan(row, slots), export.AsSpan(row, slots));
            }
            for (var s = 0; s < slots; s++)
            {
                var time = Encoding.UTF8.GetBytes($"{{\"time\":\"{Start(day, s)}\"");
                for (var i = 0; i < files.Count; i++)
                    _readings += files[i].Add(time, import[(first + i) * slots + s], export[(first + i) * slots + s]);
            }
        }
    }

    /// <summary>
    /// An array of objects <c>{"time":…,"import_wh":…[,"export_wh":…]}</c>, one a line; gaps have no object.
    /// </summary>
    private sealed class JsonFile(Utf8File to) : IDisposable
    {
        private bool _hasRows;

        /// <summary>Returns how many readings were written.</summary>
        public int Add(ReadOnlySpan<byte> time, int import, int export)
        {
            if (import == ReadingBlock.Missing) return 0;
            to.Ascii(_hasRows ? ",\n"u8 : "[\n"u8);
            _hasRows = true;
            to.Ascii(time);
            to.Ascii(",\"import_wh\":"u8);
            to.Number(import);
            if (export != ReadingBlock.Missing)
            {
                to.Ascii(",\"export_wh\":"u8);
                to.Number(export);
            }
            to.Ascii("}"u8);
            return export == ReadingBlock.Missing ? 1 : 2;
        }

        public long Complete()
        {
            to.Ascii(_hasRows ? "\n]\n"u8 : "[]\n"u8);
            return to.Complete();
        }

        public void Dispose() => to.Dispose();
    }
}
