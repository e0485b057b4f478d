using Twin.Grains;
using Twin.Ingest.Readers;

namespace Twin.Silo;

/// <summary>
/// One request's NDJSON lines. Every batch names its meters again, which the fleet takes as duplicates: a batch that was refused for want of disk
/// leaves nobody unnamed.
/// </summary>
internal sealed class ObservationLines
{
    private ObservationBatch? _current;

    public bool TryParse(ReadOnlySpan<byte> line, InputBatch into, out string error)
    {
        if (_current is null || !ReferenceEquals(_current.Batch, into) || into.Count == 0) _current = new ObservationBatch(into, new AnnouncedMeters());
        error = _current.Add(line)?.ToString() ?? "";
        return error.Length == 0;
    }
}
