using Twin.Hardware.Wire;

namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// Which intervals of a load profile have come in, over the last <see cref="Window"/>; older ones are taken as they
/// are. What is still missing a push period and <see cref="GraceMinutes"/> after its end is asked for again, not more
/// often than that and at most <see cref="MaxAsks"/> times: what a meter did not measure for want of supply does not
/// come.
/// </summary>
internal sealed class ProfileBook(long startMinute, int intervalMinutes, int pushMinutes)
{
    /// <summary>Intervals kept: ten days of quarter hours.</summary>
    public const int Window = 960;
    public const int GraceMinutes = 4 * 60;
    public const int MaxAsks = 2;

    private readonly int _patienceMinutes = pushMinutes + GraceMinutes;
    private readonly ulong[] _have = new ulong[Window / 64];
    private long _first = startMinute / intervalMinutes;
    private long _askedMinute = startMinute, _askedFor = -1, _askedUpTo;
    private int _asks;

    /// <summary>Takes the rows of a push.</summary>
    public void Take(ReadOnlySpan<byte> body)
    {
        if (!LoadProfilePush.TryRead(body, out var push, out _)) return;
        var rows = push.GetRows();
        while (rows.TryNext(out var row)) Mark(row.End.Minutes / intervalMinutes - 1);
    }

    private void Mark(long interval)
    {
        if (interval < _first || interval - _first >= Window) return;
        _have[Index(interval) / 64] |= 1UL << Index(interval) % 64;
    }

    /// <summary>Begin of the first interval to ask for again; null when nothing is due.</summary>
    public long? Missing(long nowMinute)
    {
        var due = (nowMinute - _patienceMinutes) / intervalMinutes;
        while (_first < due && (Has(_first) || due - _first >= Window - 1)) Forget();
        if (_first >= due || nowMinute - _askedMinute < _patienceMinutes) return null;
        _asks = _first == _askedFor ? _asks + 1 : 1;
        if (_asks > MaxAsks)
        {
            while (_first < _askedUpTo) Forget();
            return null;
        }
        (_askedMinute, _askedFor, _askedUpTo) = (nowMinute, _first, due);
        return _first * intervalMinutes;
    }

    /// <summary>Intervals that should have come by now and have not.</summary>
    public int CountMissing(long nowMinute)
    {
        var missing = 0;
        for (var i = _first; i < (nowMinute - _patienceMinutes) / intervalMinutes; i++)
            if (i - _first >= Window || !Has(i)) missing++;
        return missing;
    }

    private bool Has(long interval) => (_have[Index(interval) / 64] >> Index(interval) % 64 & 1) != 0;

    private void Forget()
    {
        _have[Index(_first) / 64] &= ~(1UL << Index(_first) % 64);
        _first++;
    }

    private static int Index(long interval) => (int)(interval % Window);
}
