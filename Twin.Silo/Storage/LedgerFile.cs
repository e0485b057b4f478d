using System.Globalization;
using System.Text;
using System.Text.Json;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Signatures;

namespace Twin.Silo.Storage;

/// <summary>
/// A ledger that was checked. <paramref name="Decided"/>: decisions made again with the same result;
/// <paramref name="Others"/>: decisions by other versions' rules, which were not. <paramref name="Sealed"/>: entries up
/// to the last seal. <paramref name="Keys"/>: fingerprints of the keys that sealed it.
/// </summary>
public sealed record LedgerReport(long Entries, string Hash, long Decided, long Others, long Sealed,
    IReadOnlyList<string> Keys)
{
    /// <summary>For each key that signed: by which algorithm, how many seals, and whether that was checked.</summary>
    public IReadOnlyList<string> Signatures { get; init; } = [];
}

/// <summary>
/// A ledger as a file that can be checked without its directory: JSON lines, one an entry, in order, and seals behind
/// the entries that they seal. There is one way to write each line, so that every change of a byte shows. Body: the
/// entry's bytes in base64, which hash and seals are over; time, kind and case repeat what stands in it.
/// </summary>
public static class LedgerFile
{
    /// <summary>Version 1 has ECDSA signatures alone; version 2 is written when a seal has others beside it.</summary>
    private const int Plain = 1, WithOthers = 2;

    /// <summary>A line that is longer is none of a ledger: an entry is an input at most, and that is bounded.</summary>
    private const int MaxLine = 96 * 1024 * 1024;

    /// <summary>Writes all entries up to the end as it is now; how many.</summary>
    /// <exception cref="InvalidDataException">The ledger is damaged.</exception>
    public static long Write(ILedgerSource ledger, TextWriter to)
    {
        var end = ledger.End;
        var (count, version) = (0L, Plain);
        foreach (var seal in ledger.AllSeals())
            (count, version) = (count + 1, seal.Also.IsEmpty ? version : WithOthers);
        to.Write(Header(version, end, count));
        using var seals = ledger.AllSeals().GetEnumerator();
        var isSealed = seals.MoveNext();
        long written = 0;
        foreach (var entry in ledger.EntriesAfter(0).TakeWhile(e => e.Number <= end.Number))
        {
            to.Write(Line(entry));
            written = entry.Number;
            for (; isSealed && seals.Current.Number <= written; isSealed = seals.MoveNext())
                to.Write(Line(seals.Current));
        }
        if (written < end.Number) throw new InvalidDataException($"entry {written + 1} of the ledger is missing");
        return end.Number;
    }

    private static string Header(int version, LedgerChain end, long seals) =>
        string.Create(CultureInfo.InvariantCulture,
        $"{{\"metertwin_ledger\":{version},\"entries\":{end.Number},\"seals\":{seals},"
        + $"\"hash\":\"{Hex(end.Hash)}\"}}\n");

    private static string Line(StoredEntry e) => string.Create(CultureInfo.InvariantCulture,
        $"{{\"number\":{e.Number},\"at\":\"{e.Entry.At}\",\"kind\":\"{SnakeCase.Of(e.Entry.Kind)}\","
        + $"\"case\":\"{CaseOf(e)}\","
        + $"\"body\":\"{Convert.ToBase64String(e.Entry.ToBytes())}\",\"hash\":\"{Hex(e.Hash)}\"}}\n");

    private static string Line(LedgerSeal s) => string.Create(CultureInfo.InvariantCulture,
        $"{{\"seal\":{s.Number},\"key\":\"{Convert.ToBase64String(s.Key)}\","
        + $"\"signature\":\"{Convert.ToBase64String(s.Signature)}\"{Also(s)}}}\n");

    private static string Also(LedgerSeal s) =>
        s.Also.IsEmpty ? "" : $",\"also\":\"{Convert.ToBase64String(s.Also.Encode())}\"";

    private static string Hex(byte[] hash) => Convert.ToHexStringLower(hash);

    private static string CaseOf(StoredEntry e) => e.Entry.Case.Kind == 0 ? "" : $"{e.Entry.Case.Id:x16}";

    /// <summary>
    /// Checks a file: first that nothing was changed, then, when nothing was, all decisions by making them again.
    /// </summary>
    /// <param name="open">Opens the file from its beginning; called twice.</param>
    /// <param name="trust">Which keys the reader trusts, and what a seal must have.</param>
    /// <param name="problem">Hears each problem; line and entry are named.</param>
    public static LedgerReport Check(Func<Stream> open, SealTrust trust, Action<string> problem)
    {
        var check = new Reader(trust);
        var broken = false;
        foreach (var (number, line) in Lines(open, () => broken, p => Broken($"line {p}")))
        {
            try
            {
                check.Take(line);
            }
            catch (Exception e) when (e is InvalidDataException or FormatException or JsonException
                or InvalidOperationException or KeyNotFoundException or OverflowException or ArgumentException)
            {
                Broken($"line {number}, behind entry {check.End.Number}: "
                    + (e is InvalidDataException ? e.Message : "it is no line of a ledger"));
            }
        }
        if (!broken && check.Missing() is { } missing) Broken(missing);
        var replay = new LedgerReplay();
        if (!broken)
        {
            foreach (var (number, line) in Lines(open, () => false, _ => { }))
            {
                if (Reader.EntryOf(line) is { } entry && replay.Problem(entry) is { } p)
                    problem($"line {number}, entry {entry.Number}: {p}");
            }
        }
        return new LedgerReport(check.End.Number, Hex(check.End.Hash), replay.Decided,
            replay.Others, check.SealedTo, [.. check.Keys])
        { Signatures = check.Tally.Lines() };

        // What follows a break proves nothing: one sentence says where it is.
        void Broken(string what)
        {
            if (!broken) problem(what);
            broken = true;
        }
    }

    private static IEnumerable<(long Number, string Line)> Lines(Func<Stream> open, Func<bool> isOver,
        Action<string> broken)
    {
        using var reader = new StreamReader(open(), new UTF8Encoding(false, throwOnInvalidBytes: false),
            detectEncodingFromByteOrderMarks: false);
        var line = new StringBuilder();
        var buffer = new char[64 * 1024];
        long number = 1;
        for (int read; !isOver() && (read = reader.Read(buffer)) > 0;)
        {
            var rest = buffer.AsMemory(0, read);
            for (int at; (at = rest.Span.IndexOf('\n')) >= 0; rest = rest[(at + 1)..])
            {
                line.Append(rest.Span[..(at + 1)]);
                yield return (number++, line.ToString());
                line.Clear();
                if (isOver()) yield break;
            }
            line.Append(rest.Span);
            if (line.Length > MaxLine)
            {
                broken($"{number} is longer than {MaxLine} characters: this is no ledger");
                yield break;
            }
        }
        if (line.Length > 0 && !isOver()) broken($"{number} has no end: the file was cut short");
    }

    /// <summary>What the lines so far come to.</summary>
    private sealed class Reader(SealTrust trust)
    {
        private (int Version, long Entries, long Seals, string Hash)? _header;
        private IReadOnlyList<JudgedSignature> _last = [];
        private bool _hasOthers;
        private long _seals;

        public LedgerChain End { get; private set; } = LedgerChain.Start;
        public long SealedTo { get; private set; }
        public SortedSet<string> Keys { get; } = new(StringComparer.Ordinal);
        public SealTally Tally { get; } = new();

        public void Take(string line)
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (_header is null)
            {
                if (!root.TryGetProperty("metertwin_ledger", out var version))
                    throw new InvalidDataException("this is no ledger that 'metertwin ledger export' wrote");
                if (version.GetInt32() is not (Plain or WithOthers))
                    throw new InvalidDataException(
                        $"the file has version {version.GetInt32()}, this MeterTwin knows {Plain} and {WithOthers}");
                var (entries, seals) = (root.GetProperty("entries").GetInt64(), root.GetProperty("seals").GetInt64());
                _header = (version.GetInt32(), entries, seals, root.GetProperty("hash").GetString()!);
                Same(line, Header(_header.Value.Version,
                    new LedgerChain(entries, Convert.FromHexString(_header.Value.Hash)), seals));
            }
            else if (root.TryGetProperty("seal", out var seal)) Take(line, seal.GetInt64(), root);
            else Take(line, Entry(root));
        }

        private void Take(string line, StoredEntry entry)
        {
            if (entry.Number != End.Number + 1)
                throw new InvalidDataException(
                    $"entry {entry.Number} stands where entry {End.Number + 1} must: one was taken out or moved");
            End = End.Next(entry.Entry.ToBytes());
            if (!End.Hash.AsSpan().SequenceEqual(entry.Hash))
                throw new InvalidDataException($"entry {entry.Number} is not what was recorded, or one before it was "
                    + "changed, taken out or moved: its hash does not follow");
            Same(line, Line(entry));
        }

        private void Take(string line, long number, JsonElement root)
        {
            var seal = new LedgerSeal(number, default, root.GetProperty("key").GetBytesFromBase64(),
                root.GetProperty("signature").GetBytesFromBase64())
            { Also = Others(root) };
            if (number <= SealedTo) throw new InvalidDataException($"entry {number} is sealed twice");
            _seals++;
            _last = seal.Judge(End, trust.Suite);
            if (trust.Problem(seal, _last) is { } problem) throw new InvalidDataException(problem);
            Same(line, Line(seal));
            Keys.Add(LedgerSeal.FingerprintOf(seal.Key));
            Tally.Add(seal, _last);
            _hasOthers |= !seal.Also.IsEmpty;
            SealedTo = number;
        }

        private static SignatureList Others(JsonElement root)
        {
            if (!root.TryGetProperty("also", out var also)) return SignatureList.None;
            return SignatureList.TryRead(also.GetBytesFromBase64(), out var list, out _) switch
            {
                SignatureListFault.None => list,
                SignatureListFault.NewerFormat => throw new InvalidDataException(
                    "the seal has signatures of a newer format: check it with the MeterTwin that wrote it"),
                _ => throw new InvalidDataException("the signatures beside the seal's are damaged"),
            };
        }

        /// <summary>A line that says the same in other bytes was not written by us.</summary>
        private static void Same(string line, string written)
        {
            if (line != written)
                throw new InvalidDataException("the line is not as it was written: bytes beside the entry changed");
        }

        public static StoredEntry? EntryOf(string line)
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.TryGetProperty("number", out _) ? Entry(json.RootElement) : null;
        }

        private static StoredEntry Entry(JsonElement root) => new(root.GetProperty("number").GetInt64(),
            Convert.FromHexString(root.GetProperty("hash").GetString()!),
            LedgerEntry.Read(root.GetProperty("body").GetBytesFromBase64()), 0);

        /// <summary>What must be there at the end and is not; null when all is.</summary>
        public string? Missing() => _header is not { } header ? "the file is empty"
            : header.Entries != End.Number || header.Hash != Hex(End.Hash)
                ? $"the file ends behind entry {End.Number}, and its first line says {header.Entries} entries, hash "
                    + $"{header.Hash}"
            : header.Seals != _seals ? $"the file has {_seals} seals, and its first line says {header.Seals}"
            : End.Number == 0 ? "it has no entry, and so no seal: it proves nothing"
            : SealedTo != End.Number ? $"the last seal is that of entry {SealedTo}: what follows it, to {End.Number}, "
                + "could have been written by anybody"
            : header.Version == WithOthers != _hasOthers
                ? $"the first line says version {header.Version}, and "
                    + (_hasOthers ? "a seal has further signatures" : "no seal has a further signature")
            : trust.Lacking(SealedTo, _last);
    }
}
