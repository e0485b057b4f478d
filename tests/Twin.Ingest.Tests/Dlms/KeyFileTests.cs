using System.Security.Cryptography;
using System.Text;
using Twin.Hardware;
using Twin.Ingest.Dlms;
using Twin.Ingest.Feed;

namespace Twin.Ingest.Tests.Dlms;

public sealed class KeyFileTests : IDisposable
{
    private const string Passphrase = "a long passphrase";
    private static readonly byte[] Secret = SHA256.HashData("secret"u8)[..16];
    private static readonly byte[] Other = SHA256.HashData("other"u8)[..16];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("metertwin-keys-");

    private string At(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);

    private string Saved()
    {
        using var keys = new KeyFile();
        keys.Set("4B414D4501349083", KeySlot.EncryptionUnicast, Secret);
        keys.Set("4B414D4501349083", KeySlot.Authentication, Other);
        keys.Save(At("k"), Passphrase);
        return At("k");
    }

    [Fact]
    public void A_saved_file_is_private_encrypted_and_comes_back()
    {
        var path = Saved();
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        var bytes = File.ReadAllBytes(path);
        Assert.Equal(-1, bytes.AsSpan().IndexOf(Secret));
        Assert.Equal(-1, bytes.AsSpan().IndexOf("4B414D4501349083"u8));
        using var keys = KeyFile.Load(path, Passphrase);
        Assert.Equal([KeySlot.Authentication, KeySlot.EncryptionUnicast], keys.List().Select(static k => k.Slot));
        Assert.All(keys.List(), static k => Assert.Equal(("4B414D4501349083", 128, 8),
            (k.Meter, k.Bits, k.Fingerprint.Length)));
        Assert.Equal([new MeterId(0x4B414D4501349083)], keys.Meters());
        using var frames = keys.ToFrameKeys();
        Assert.Equal(1, frames.Count);
    }

    [Fact]
    public void Nothing_shows_a_key()
    {
        using var keys = KeyFile.Load(Saved(), Passphrase);
        var shown = keys + string.Join(' ', keys.List());
        foreach (var key in (byte[][])[Secret, Other])
        {
            Assert.DoesNotContain(Convert.ToHexString(key), shown, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToBase64String(key), shown);
        }
        Assert.Equal("2 keys", keys.ToString());
    }

    [Fact]
    public void Two_saves_share_neither_salt_nor_bytes()
    {
        var first = File.ReadAllBytes(Saved());
        var second = File.ReadAllBytes(Saved());
        Assert.NotEqual(first[12..40], second[12..40]);
        Assert.False(File.Exists(At("k.new")));
    }

    [Fact]
    public void Any_damage_and_a_wrong_passphrase_are_refused()
    {
        var path = Saved();
        Refused(path, "another passphrase", "the passphrase is wrong, or the file is damaged");
        var bytes = File.ReadAllBytes(path);
        foreach (var at in (int[])[12, bytes.Length - 1])
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 1;
            Refused(Written(damaged), Passphrase, "the passphrase is wrong, or the file is damaged");
        }
    }

    [Theory]
    [InlineData(0, "this is no key file")]
    [InlineData(7, "the key file has version 0")]
    [InlineData(8, "iterations")]
    [InlineData(9, "iterations")]
    public void A_head_that_makes_no_sense_is_refused_before_any_work(int at, string expected)
    {
        var bytes = File.ReadAllBytes(Saved());
        bytes[at] = at == 8 ? (byte)0x7F : (byte)0;
        Refused(Written(bytes), Passphrase, expected);
    }

    [Fact]
    public void A_cut_or_empty_file_is_no_key_file()
    {
        Refused(Written([]), Passphrase, "this is no key file");
        Refused(Written(File.ReadAllBytes(Saved())[..50]), Passphrase, "this is no key file");
        Refused(At("gone"), Passphrase, "does not exist");
    }

    [Fact]
    public void A_file_open_to_others_is_refused_with_the_remedy()
    {
        if (OperatingSystem.IsWindows()) return;
        var path = Saved();
        foreach (var more in (UnixFileMode[])[UnixFileMode.GroupRead, UnixFileMode.OtherRead, UnixFileMode.GroupWrite])
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | more);
            Refused(path, Passphrase, $"chmod 600 {path}");
        }
    }

    [Fact]
    public void A_short_passphrase_and_a_foreign_slot_are_refused()
    {
        using var keys = new KeyFile();
        Assert.Contains("under 12", Assert.Throws<KeyFileException>(() => keys.Save(At("s"), "short")).Message);
        Assert.Throws<KeyFileException>(() => keys.Set("m", KeySlot.LlsPassword, Secret));
        Assert.Throws<KeyFileException>(() => keys.Set("m", KeySlot.Master, Secret[..15]));
        Assert.False(File.Exists(At("s")));
    }

    [Fact]
    public void The_passphrase_comes_from_variable_file_or_credential_and_from_nowhere_else()
    {
        var file = At("passphrase");
        File.WriteAllText(file, "from the file\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(At(KeyPassphrase.CredentialName), "from systemd");
        string Find(params (string Name, string Value)[] variables) =>
            KeyPassphrase.Find(n => variables.FirstOrDefault(v => v.Name == n).Value);
        Assert.Equal("direct", Find((KeyPassphrase.Variable, "direct"), (KeyPassphrase.FileVariable, file)));
        Assert.Equal("from the file", Find((KeyPassphrase.FileVariable, file)));
        Assert.Equal("from systemd", Find((KeyPassphrase.CredentialsVariable, _folder.FullName)));
        Assert.Contains(KeyPassphrase.Variable, Assert.Throws<KeyFileException>(() => Find()).Message);
    }

    [Fact]
    public void Imported_keys_are_checked_and_rejects_do_not_show_them()
    {
        var source = At("keys.csv");
        var hex = Convert.ToHexString(Secret);
        File.WriteAllText(source, $"meter,slot,key\nm1,encryption_unicast,{hex}\nm2,optical_port,{hex}\n"
            + $"m3,master,{hex[..30]}\nm4,master,{hex}zz\nm5,nowhere,{hex}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(source, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var keys = new KeyFile();
        using var rejects = new Rejects(null);
        Assert.Equal(1, KeySource.Read(source, keys, rejects));
        Assert.Equal(4, rejects.Rows);
        Assert.All(rejects.First, r => Assert.DoesNotContain(hex[..16], r));
        Assert.Contains(":3:", rejects.First[0]);
    }

    private string Written(byte[] bytes)
    {
        File.WriteAllBytes(At("w"), bytes);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(At("w"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return At("w");
    }

    private static void Refused(string path, string passphrase, string expected)
    {
        var error = Assert.Throws<KeyFileException>(() => KeyFile.Load(path, passphrase).Dispose());
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain(passphrase, error.Message);
        Assert.DoesNotContain(Encoding.ASCII.GetString(Secret), error.Message);
    }
}
