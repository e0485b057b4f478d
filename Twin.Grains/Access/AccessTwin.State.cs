using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Access;

/// <summary>The stored form.</summary>
public sealed partial class AccessTwin
{
    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.VarInt(_now.Seconds);
        to.VarUInt((ulong)_holders.Count);
        foreach (var h in _holders.Values)
        {
            to.Text(h.Name);
            to.Bool(h.IsService);
            to.Byte((byte)h.Role);
            to.VarInt(h.RoleSince.Seconds);
            to.VarUInt((ulong)h.Regions.Length);
            foreach (var region in h.Regions) to.Text(region);
            to.Bool(h.IsDisabled);
            to.Bool(h.IsBreakGlass);
        }
        to.VarUInt((ulong)_keys.Count);
        foreach (var k in _keys)
        {
            to.UInt64(k.Id);
            to.Text(k.Holder);
            to.Bytes(k.Salt);
            to.Bytes(k.Digest);
            to.VarInt(k.CreatedAt.Seconds);
            to.Text(k.CreatedBy);
            foreach (var time in (ReadOnlySpan<UnixTime?>)[k.ExpiresAt, k.RevokedAt])
            {
                to.Bool(time is not null);
                to.VarInt(time?.Seconds ?? 0);
            }
        }
        _reads.Write(to);
        WriteReports(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static AccessTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of access is damaged: {e.Message}", e);
        }
    }

    private static AccessTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        if (r.Byte() is not StateVersion and var version)
            throw r.Bad($"the state of access has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new AccessTwin(id) { _now = Input.ReadTime(ref r) };
        var holders = r.Count(MaxHolders);
        for (var i = 0; i < holders; i++)
        {
            var (name, service, role, since) = (r.Text(), r.Bool(), (Role)r.Byte((int)Role.Viewer, (int)Role.Sender),
                Input.ReadTime(ref r));
            var regions = new string[r.Count(HolderSet.MaxRegions)];
            for (var g = 0; g < regions.Length; g++) regions[g] = r.Text();
            twin._holders.Add(PersonKey.Of(name), new Holder(name, service, role, since, regions, r.Bool(), r.Bool()));
        }
        var keys = r.Count(MaxKeys);
        for (var i = 0; i < keys; i++)
            twin._keys.Add(new KeyRecord(r.UInt64(), r.Text(), r.Bytes(KeyIssued.SaltBytes).ToArray(),
                r.Bytes(KeyIssued.DigestBytes).ToArray(), Input.ReadTime(ref r), r.Text(), Maybe(ref r), Maybe(ref r)));
        twin._reads = ReadBook.Read(ref r);
        twin.ReadReports(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind the state of access");
    }

    private static UnixTime? Maybe(ref ByteReader r)
    {
        var (given, time) = (r.Bool(), Input.ReadTime(ref r));
        if (!given && time.Seconds != 0) throw r.Bad("a time is there and is not given");
        return given ? time : null;
    }
}
