using Twin.Detection;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// The canonical encoding of the state.
public sealed partial class MeterTwin
{
    /// <summary>
    /// Version 2 has the security state behind the rest, version 3 news for the cohort and the last day of
    /// export, version 4 the customer's status and reports for cases, version 5 a model's opinion; older ones are read
    /// as meters without.
    /// </summary>
    private const byte StateVersion = 5;

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.Text(_name);
        to.Text(_zone.Name);
        to.Byte(_zoneRank);
        WriteDay(to, _closedThrough);
        to.Byte(_silentDays);
        _import.Write(to);
        to.VarUInt((ulong)(_others?.Length ?? 0));
        foreach (ref readonly var c in _others.AsSpan()) c.Write(to);
        _open.Write(to);
        to.Blob(_closing);
        _relations.Write(to);
        to.Blob(_supply);
        _contexts.Write(to);
        to.Bool(_log is not null);
        _log?.Write(to);
        WriteDay(to, _lastScoreDay);
        to.Double(_lastScore);
        to.Text(_lastTop);
        to.Bool(_model is not null);
        _model?.Write(to);
        to.Bool(_security is not null);
        _security?.Write(to);
        WriteNews(to);
        WriteDay(to, _exportDay);
        to.Byte((byte)_category);
        to.VarUInt(_categoryAt);
        WriteReports(to);
        WriteOpinion(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static MeterTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of meter {new MeterId(id)} is damaged: {e.Message}", e);
        }
    }

    private static MeterTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        if (version is 0 or > StateVersion)
            throw r.Bad($"a meter's state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new MeterTwin(id) { _name = r.Text() };
        var zone = r.Text();
        twin._zone = ZoneRules.TryGet(zone, out var rules) ? rules
            : throw r.Bad($"zone '{zone}' is not in TZDB {ZoneRules.TzdbVersion}");
        twin._zoneRank = r.Byte();
        twin._closedThrough = ReadDay(ref r);
        twin._silentDays = r.Byte();
        twin._import = ChannelState.Read(ref r);
        var others = r.Count((int)Channel.Water);
        if (others > 0) twin._others = new ChannelState[others];
        for (var i = 0; i < others; i++) twin._others![i] = ChannelState.Read(ref r);
        twin._open = OpenDays.Read(ref r);
        twin._closing = r.Blob() is { IsEmpty: false } closing ? closing.ToArray() : null;
        twin._relations = Relations.Read(twin.Meter, ref r);
        twin._supply = r.Blob() is { IsEmpty: false } supply ? supply.ToArray() : null;
        twin._contexts = Contexts.Read(ref r);
        if (r.Bool()) twin._log = MeterLog.Read(ref r);
        twin._lastScoreDay = ReadDay(ref r);
        twin._lastScore = r.Double();
        twin._lastTop = Intern(r.Text());
        if (r.Bool()) twin._model = ReadingModel.Read(ref r);
        if (version > 1 && r.Bool()) twin._security = MeterSecurity.Read(ref r);
        if (version > 2)
        {
            twin.ReadNews(ref r);
            twin._exportDay = ReadDay(ref r);
        }
        if (version > 3)
        {
            twin._category = (CustomerCategory)r.Byte(0, (int)CustomerCategory.Medical);
            twin._categoryAt = (uint)Math.Min(r.VarUInt(), uint.MaxValue);
            twin.ReadReports(ref r);
        }
        if (version > 4) twin.ReadOpinion(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind a meter's state");
    }

    private static void WriteDay(ByteWriter to, int day) => to.VarUInt(day == NoDay ? 0
        : unchecked((ulong)((long)day + MaxDayNumber + 1)));

    private static int ReadDay(ref ByteReader r)
    {
        var v = r.Count(2 * MaxDayNumber + 1);
        return v == 0 ? NoDay : v - MaxDayNumber - 1;
    }

    /// <summary>Names of features come from a small closed set; a million twins share them.</summary>
    private static string Intern(string top) => top.Length is 0 or > 64 ? top : string.Intern(top);
}
