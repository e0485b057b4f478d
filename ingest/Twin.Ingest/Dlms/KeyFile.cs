using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;
using Twin.Ingest.Text;

namespace Twin.Ingest.Dlms;

/// <summary>
/// A key file that cannot be used: no such file, wrong passphrase, damage, or open to others. Holds no secret.
/// </summary>
public sealed class KeyFileException(string message) : Exception(message);

/// <summary>One key as <c>keys list</c> shows it. <paramref name="Fingerprint"/>: 8 hexadecimal digits.</summary>
public sealed record KeyEntry(string Meter, KeySlot Slot, int Bits, string Fingerprint);

/// <summary>
/// The symmetric keys of the keyed mode: one file, encrypted at rest. Layout: "MTWKEYS", version, iterations (4 bytes
/// big-endian), salt (16), nonce (12); then AES-256-GCM of the keys under PBKDF2-HMAC-SHA256 of the passphrase, the
/// head being authenticated data; then the tag (16). The file is readable by its owner only, and is replaced whole:
/// written aside, synced, renamed. Its text shows no key.
/// </summary>
public sealed class KeyFile : IDisposable
{
    public const byte Version = 1;

    /// <summary>OWASP's least for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet, 2023).</summary>
    public const int MinIterations = 600_000;

    /// <summary>A file that asks for more would only keep us busy.</summary>
    public const int MaxIterations = 20_000_000;

    /// <summary>Keys of one file; one more is refused.</summary>
    public const int MaxKeys = 4_000_000;

    /// <summary>Characters of a passphrase, at least.</summary>
    public const int MinPassphrase = 12;

    private const int SaltBytes = 16, NonceBytes = 12, TagBytes = 16;
    private const int HeadBytes = 7 + 1 + 4 + SaltBytes + NonceBytes;
    private const long MaxFileBytes = 512L * 1024 * 1024;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static ReadOnlySpan<byte> Magic => "MTWKEYS"u8;

    private static readonly IComparer<(string, KeySlot)> Order = Comparer<(string Meter, KeySlot Slot)>.Create(
        static (a, b) => string.CompareOrdinal(a.Meter, b.Meter) is var c && c != 0 ? c : a.Slot.CompareTo(b.Slot));

    private readonly SortedDictionary<(string Meter, KeySlot Slot), byte[]> _keys = new(Order);

    public int Count => _keys.Count;

    /// <summary>Sets a key; the one before it is forgotten.</summary>
    /// <exception cref="KeyFileException">A slot that holds no key of frames or seals, or a wrong length.</exception>
    public void Set(string meter, KeySlot slot, ReadOnlySpan<byte> key)
    {
        if (slot is not (KeySlot.Master or KeySlot.Authentication or KeySlot.EncryptionUnicast
            or KeySlot.EncryptionBroadcast or KeySlot.MetrologySeal))
            throw new KeyFileException($"Slot {slot} opens neither frames nor seals. Give master, authentication, "
                + "encryption_unicast, encryption_broadcast or metrology_seal.");
        if (key.Length is not (16 or 32))
            throw new KeyFileException($"A key of meter '{meter}' has {key.Length} bytes; it must have 16 or 32.");
        if (_keys.Count >= MaxKeys) throw new KeyFileException($"The file is full: {MaxKeys} keys.");
        if (_keys.Remove((meter, slot), out var old)) CryptographicOperations.ZeroMemory(old);
        _keys[(meter, slot)] = key.ToArray();
    }

    /// <summary>Meters, slots and fingerprints; never a key.</summary>
    public IReadOnlyList<KeyEntry> List() =>
        [.. _keys.Select(static k => new KeyEntry(k.Key.Meter, k.Key.Slot, k.Value.Length * 8, Fingerprint(k)))];

    // Bound to meter and slot, so that equal keys of two meters do not show as equal.
    private static string Fingerprint(in KeyValuePair<(string Meter, KeySlot Slot), byte[]> entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"metertwin key\n{entry.Key.Meter}\n{(byte)entry.Key.Slot}\n"));
        hash.AppendData(entry.Value);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 4));
    }

    /// <summary>The keys ready for use. The caller disposes of them.</summary>
    /// <exception cref="KeyFileException">A meter's encryption and authentication key differ in length.</exception>
    public FrameKeys ToFrameKeys()
    {
        var keys = new FrameKeys();
        foreach (var ((meter, slot), key) in _keys)
        {
            if (slot == KeySlot.MetrologySeal) continue;
            var id = MeterId.ParseOrMap(meter);
            var authentication = _keys.GetValueOrDefault((meter, KeySlot.Authentication), []);
            if (slot != KeySlot.Authentication && authentication.Length > 0 && authentication.Length != key.Length)
            {
                keys.Dispose();
                throw new KeyFileException($"Meter '{meter}' has a {slot} key of {key.Length} bytes and an "
                    + $"authentication key of {authentication.Length}; they must be of one suite.");
            }
            if (slot == KeySlot.Master) keys.SetMaster(id, key, authentication);
            else if (slot == KeySlot.EncryptionUnicast) keys.Set(id, KeyUse.GlobalUnicast, key, authentication);
            else if (slot == KeySlot.EncryptionBroadcast) keys.Set(id, KeyUse.GlobalBroadcast, key, authentication);
        }
        return keys;
    }

    /// <summary>The metrology keys ready for use. The caller disposes of them.</summary>
    public SealKeys ToSealKeys()
    {
        var seals = new SealKeys();
        foreach (var ((meter, slot), key) in _keys)
            if (slot == KeySlot.MetrologySeal) seals.Set(MeterId.ParseOrMap(meter), key);
        return seals;
    }

    /// <summary>Meters that have a key to open frames with.</summary>
    public IReadOnlySet<MeterId> Meters() =>
        _keys.Keys.Where(static k => k.Slot is not (KeySlot.Authentication or KeySlot.MetrologySeal))
            .Select(static k => MeterId.ParseOrMap(k.Meter)).ToHashSet();

    /// <summary>Writes the file anew under a fresh salt and nonce.</summary>
    /// <exception cref="KeyFileException">The passphrase is too short.</exception>
    public void Save(string path, string passphrase)
    {
        CheckPassphrase(passphrase);
        var plain = Encode();
        var file = new byte[HeadBytes + plain.Length + TagBytes];
        var head = file.AsSpan(0, HeadBytes);
        Magic.CopyTo(head);
        head[7] = Version;
        BinaryPrimitives.WriteInt32BigEndian(head[8..], MinIterations);
        RandomNumberGenerator.Fill(head[12..]);
        var key = Derive(passphrase, head);
        try
        {
            using var gcm = new AesGcm(key, TagBytes);
            gcm.Encrypt(head[^NonceBytes..], plain, file.AsSpan(HeadBytes, plain.Length), file.AsSpan(^TagBytes..),
                head);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(plain);
        }
        Replace(path, file);
    }

    private static void Replace(string path, byte[] file)
    {
        var aside = path + ".new";
        File.Delete(aside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Private;
        using (var stream = new FileStream(aside, options))
        {
            stream.Write(file);
            stream.Flush(flushToDisk: true);
        }
        File.Move(aside, path, overwrite: true);
    }

    private byte[] Encode()
    {
        var w = new ByteWriter(64 + _keys.Count * 64);
        w.VarUInt((ulong)_keys.Count);
        foreach (var ((meter, slot), key) in _keys)
        {
            w.Text(meter);
            w.Byte((byte)slot);
            w.Blob(key);
        }
        return w.ToArray();
    }

    /// <exception cref="KeyFileException">No such file, open to others, damaged, or a wrong passphrase.</exception>
    public static KeyFile Load(string path, string passphrase)
    {
        CheckMode(path);
        CheckPassphrase(passphrase);
        var file = ReadAll(path);
        if (file.Length < HeadBytes + TagBytes || !file.AsSpan(0, 7).SequenceEqual(Magic))
            throw new KeyFileException($"{path}: this is no key file. Make one with 'metertwin keys init'.");
        if (file[7] != Version)
            throw new KeyFileException($"{path}: the key file has version {file[7]}; this MeterTwin knows {Version}. "
                + "Use a newer one.");
        var iterations = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(8));
        if (iterations is < MinIterations or > MaxIterations)
            throw new KeyFileException($"{path}: the file says {iterations} iterations; {MinIterations} to "
                + $"{MaxIterations} are allowed. It is damaged: restore it from its copy.");
        var head = file.AsSpan(0, HeadBytes);
        var plain = new byte[file.Length - HeadBytes - TagBytes];
        var key = Derive(passphrase, head);
        try
        {
            using var gcm = new AesGcm(key, TagBytes);
            gcm.Decrypt(head[^NonceBytes..], file.AsSpan(HeadBytes, plain.Length), file.AsSpan(^TagBytes..), plain,
                head);
            return Decode(path, plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new KeyFileException($"{path}: the passphrase is wrong, or the file is damaged.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    private static byte[] ReadAll(string path)
    {
        try
        {
            // A pipe tells no length.
            return new FileInfo(path).Length <= MaxFileBytes ? BoundedFile.Read(path, (int)MaxFileBytes)
                : throw new KeyFileException($"{path}: over {MaxFileBytes} bytes is no key file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyFileException($"{path}: cannot be read: {e.Message}");
        }
    }

    private static KeyFile Decode(string path, ReadOnlySpan<byte> plain)
    {
        var keys = new KeyFile();
        try
        {
            var r = new ByteReader(plain);
            var count = r.Count(MaxKeys);
            for (var i = 0; i < count; i++) keys.Set(r.Text(), (KeySlot)r.Byte(), r.Blob());
            if (r.AtEnd) return keys;
        }
        catch (InvalidDataException)
        {
            // Told below: what is inside was written by another program with the right passphrase.
        }
        keys.Dispose();
        throw new KeyFileException($"{path}: what is inside is no list of keys. Make the file anew.");
    }

    private static byte[] Derive(string passphrase, ReadOnlySpan<byte> head) => Rfc2898DeriveBytes.Pbkdf2(
        passphrase, head.Slice(12, SaltBytes), BinaryPrimitives.ReadInt32BigEndian(head[8..]), HashAlgorithmName.SHA256,
        32);

    private static void CheckPassphrase(string passphrase)
    {
        if (passphrase.Length < MinPassphrase)
            throw new KeyFileException($"The passphrase of the key file has under {MinPassphrase} characters. Give a "
                + "longer one.");
    }

    /// <summary>A file that others can read or write is refused.</summary>
    /// <exception cref="KeyFileException">No such file, or open to group or world.</exception>
    public static void CheckMode(string path)
    {
        if (!File.Exists(path))
            throw new KeyFileException($"{path}: does not exist. Make one with 'metertwin keys init {path}'.");
        if (OperatingSystem.IsWindows()) return;
        var mode = File.GetUnixFileMode(path);
        if ((mode & ~(Private | UnixFileMode.UserExecute)) != 0)
            throw new KeyFileException($"{path}: other users can reach the file. Type: chmod 600 {path}");
    }

    public override string ToString() => $"{_keys.Count} keys";

    public void Dispose()
    {
        foreach (var key in _keys.Values) CryptographicOperations.ZeroMemory(key);
        _keys.Clear();
    }
}

/// <summary>
/// Where the passphrase of the key file comes from: never a flag, which others could see in the list of processes.
/// </summary>
public static class KeyPassphrase
{
    public const string Variable = "METERTWIN_KEYS_PASSPHRASE";
    public const string FileVariable = "METERTWIN_KEYS_PASSPHRASE_FILE";

    /// <summary>Folder of a systemd unit's credentials, and the name that is looked for there.</summary>
    public const string CredentialsVariable = "CREDENTIALS_DIRECTORY";
    public const string CredentialName = "metertwin-keys";

    /// <summary>Reads the variable, else the file that a variable names, else the systemd credential.</summary>
    /// <exception cref="KeyFileException">None is there, or its file cannot be read or is open to others.</exception>
    public static string Find(Func<string, string?> variable)
    {
        if (variable(Variable) is { Length: > 0 } passphrase) return passphrase;
        if (variable(FileVariable) is { Length: > 0 } file)
        {
            KeyFile.CheckMode(file);
            return Read(file);
        }
        if (variable(CredentialsVariable) is { Length: > 0 } folder && File.Exists(Path.Combine(folder,
            CredentialName))) return Read(Path.Combine(folder, CredentialName));
        throw new KeyFileException($"There is no passphrase for the key file. Set {Variable}, name a file of mode 600 "
            + $"in {FileVariable}, or give the systemd credential '{CredentialName}'.");
    }

    private static string Read(string path)
    {
        try
        {
            return BoundedFile.ReadText(path, BoundedFile.SmallBytes).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyFileException($"{path}: cannot be read: {e.Message}");
        }
    }
}
