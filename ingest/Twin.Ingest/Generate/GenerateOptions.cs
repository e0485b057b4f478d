namespace Twin.Ingest.Generate;

/// <summary>The forms of readings that are written; each is one that <c>replay</c> reads.</summary>
public enum GenerateFormat : byte
{
    /// <summary>Canonical long CSV, one row a reading in the order in which readings arrive.</summary>
    Long = 1,
    /// <summary>Wide CSV, one row a time and one column a meter, kWh with three decimals, import only.</summary>
    Wide = 2,
    /// <summary>One JSON array of times and values a meter.</summary>
    Json = 3,
}

/// <summary>
/// Where and how to write. Files of the same names are replaced, each only when its successor is complete.
/// </summary>
public sealed record GenerateOptions(string Directory, GenerateFormat Format, bool Gzip);

/// <summary>
/// How far a writer is; JSON files take one pass over the days a feeder. Readings are those written so far.
/// </summary>
public readonly record struct GenerateProgress(long DaysDone, long DaysTotal, long Readings);

/// <summary>What was written.</summary>
public sealed record GenerateSummary(IReadOnlyList<string> Files, long Meters, long Readings, long Bytes);
