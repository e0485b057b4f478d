using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;

namespace Twin.Silo.Embedded;

// Retention and erasure. A rebuild can no longer begin before what was removed, so a base snapshot is written first; a
// crash between the two is finished at the next start.
public sealed partial class EmbeddedFleet
{
    /// <summary>
    /// Erases a meter's readings before a local day, for good; completes when they are gone from the files.
    /// </summary>
    public async Task<Tombstone> Erase(MeterId meter, int beforeDay, string reason)
    {
        var batch = new InputBatch("host");
        batch.Add(new Erasure(meter, beforeDay, reason));
        var receipt = await Append(batch, CancellationToken.None);
        if (receipt.Items[0].Status == AdmissionStatus.Rejected)
            throw new ArgumentException(receipt.Items[0].Reason, nameof(meter));
        await _sequencer.Ask(() => EraseFiles(new Erasure(meter, beforeDay, reason), receipt.Position));
        return _journal.Tombstones().Last(t => t.Meter == meter);
    }

    /// <summary>How inputs would fare, each against the fleet as it is: nothing changes.</summary>
    internal List<Admission> WouldAdmit(IReadOnlyList<Input> inputs)
    {
        var nowhere = new Nowhere();
        return [.. inputs.Select(input =>
        {
            var bytes = input.ToBytes();
            return (_host.Read<object>(input.Target, twin => twin.Admit(bytes, _sequencer.Recall, nowhere))
                ?? _factory.Create(input.Target).Admit(bytes, _sequencer.Recall, nowhere)) is Admission a ? a : default;
        })];
    }

    private sealed class Nowhere : IAccepted
    {
        public void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable) { }
    }

    private bool EraseFiles(Erasure act, long position)
    {
        WriteBase();
        _journal.Erase(act.Meter, act.BeforeDay, position);
        return true;
    }

    /// <summary>
    /// Snapshots and retention, between two batches. Neither may stop the engine: the journal has everything, the next
    /// batch tries again.
    /// </summary>
    private void KeepHouse()
    {
        try
        {
            if (_sequencer.BytesSinceSnapshot >= _options.SnapshotBytes) WriteSnapshot(isBase: false);
            Retain();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StorageUnavailableException)
        {
            _log($"No snapshot was written: {e.Message}");
        }
    }

    /// <summary>Whole sealed periods older than the retention go, a window at a time.</summary>
    private void Retain()
    {
        if (_options.RetentionDays is not { } days || _sequencer.ClosedThrough == int.MinValue) return;
        var fromDay = SqliteJournal.WindowOf(_sequencer.ClosedThrough + 1 - days);
        if (fromDay <= _retainedFrom) return;
        if (_journal.HasSealedBefore(fromDay))
        {
            WriteBase();
            _journal.Retain(fromDay, _sequencer.JudgedPosition);
        }
        _retainedFrom = fromDay;
    }

    /// <summary>First day of the windows kept when this was last looked at.</summary>
    private int _retainedFrom = int.MinValue;

    private void WriteBase()
    {
        WriteSnapshot(isBase: true);
        foreach (var old in SnapshotFile.List(_directory.Path).Where(s => s.Position < _sequencer.JudgedPosition))
            File.Delete(old.Path);
    }
}
