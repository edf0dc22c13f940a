// Dockerfiles that the real BuildKit and ours must make the same images of. All start from busybox, so nothing is fetched.

export interface CaseFile {
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  /** Target of a symbolic link. */
  readonly link?: string;
}

export interface Case {
  readonly name: string;
  readonly dockerfile: string;
  readonly files: Readonly<Record<string, CaseFile | string>>;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string;
}

const cases: Case[] = [];

function add(
  name: string,
  dockerfile: string,
  files: Case['files'] = {},
  more: { buildArgs?: Record<string, string>; target?: string } = {},
): void {
  const text = dockerfile.replace(/^\n/, '');
  cases.push({
    name,
    dockerfile: text,
    files,
    buildArgs: more.buildArgs ?? {},
    ...(more.target !== undefined && { target: more.target }),
  });
}

const tree = {
  a: 'aaa\n',
  'b.sh': { content: '#!/bin/sh\n', mode: 0o755 },
  'd/x': 'x',
  'd/y.txt': { content: 'y', mode: 0o600 },
  'd/e/z.txt': 'z',
  'd/link': { link: 'x' },
  'd/bad': { link: '/nowhere' },
  'e with space/f': 'f',
} as const;

add('from', 'FROM busybox\n');
add('run-file', 'FROM busybox\nRUN echo one > /one\n');
add('run-nothing', 'FROM busybox\nRUN true\nRUN echo x > /x\nRUN true\n');
add('run-exec-form', 'FROM busybox\nRUN ["/bin/sh", "-c", "echo $0 > /zero", "name"]\n');
add('run-dirs', 'FROM busybox\nRUN mkdir -p /a/b/c && chmod 700 /a && chown 5:6 /a/b && touch /a/b/c/f\n');
add(
  'run-remove',
  'FROM busybox\nRUN mkdir /d && touch /d/1 /d/2\nRUN rm /d/1\nRUN rm -r /d && mkdir /d && touch /d/3\n',
);
add('run-links', 'FROM busybox\nRUN echo x > /f && ln /f /g && ln -s /f /s && ln -s gone /t\n');
add('run-special', 'FROM busybox\nRUN mknod /n c 1 3 && mkfifo /p && chmod 4755 /bin/busybox; chmod 1777 /var\n');
add('run-replace-dir', 'FROM busybox\nRUN mkdir /r && touch /r/f\nRUN rm -rf /r && echo file > /r\n');
add('run-env', 'FROM busybox\nENV A=1 B="two words"\nRUN echo "$A-$B-$HOME-$PATH" > /env\n');
add('run-user', 'FROM busybox\nUSER 1000:1001\nRUN id > /tmp/id; touch /tmp/mine\n');
add(
  'run-user-name',
  'FROM busybox\nRUN echo "joe:x:77:88::/home/joe:/bin/sh" >> /etc/passwd\nUSER joe\nRUN id > /tmp/id; echo $HOME > /tmp/home\n',
);
add('run-heredoc', 'FROM busybox\nRUN <<EOF\necho one > /one\necho two > /two\nEOF\n');
add('run-heredoc-shebang', 'FROM busybox\nRUN <<EOF\n#!/bin/ash\necho $0 > /who\nEOF\n');
add('run-heredoc-cat', 'FROM busybox\nARG V=val\nRUN cat <<A > /a && cat <<"B" > /b\nx $V\nA\ny $V\nB\n');
add('run-mount-tmpfs', 'FROM busybox\nRUN --mount=type=tmpfs,target=/scratch touch /scratch/x && touch /kept\n');
add('run-mount-bind', 'FROM busybox\nRUN --mount=target=/src cat /src/a /src/d/x > /both\n', tree);
add(
  'run-mount-bind-stage',
  'FROM busybox AS one\nRUN echo s > /s\nFROM busybox\nRUN --mount=type=bind,from=one,source=/s,target=/mnt/s cat /mnt/s > /t\n',
);
add(
  'run-mount-bind-rw',
  'FROM busybox\nRUN --mount=target=/src,rw echo new > /src/a && cat /src/a > /out\nCOPY a /a\n',
  tree,
);
add(
  'run-mount-cache',
  'FROM busybox\nRUN --mount=type=cache,target=/c,id=golden echo x > /c/f; ls /c > /list\nRUN --mount=type=cache,target=/other,id=golden cat /other/f > /f\n',
);
add('run-mount-secret-optional', 'FROM busybox\nRUN --mount=type=secret,id=none ls /run > /list; true\n');
add('run-network-none', 'FROM busybox\nRUN --network=none ls /sys/class/net > /nets\n');
add('run-mounts-leave-nothing', 'FROM scratch\nCOPY --from=busybox / /\nRUN ["/bin/busybox", "touch", "/x"]\n');
add('run-hosts-file', 'FROM busybox\nRUN echo "# x" > /etc/hostname\n');
add('copy-file', 'FROM busybox\nCOPY a /x\nCOPY a /dir/\nCOPY b.sh /usr/bin/\n', tree);
add('copy-dir', 'FROM busybox\nCOPY d /d\nCOPY d/ /e/\n', tree);
add('copy-all', 'FROM busybox\nCOPY . /ctx\n', tree);
add('copy-wildcard', 'FROM busybox\nCOPY d/*.txt *.sh /w/\n', tree);
add('copy-many', 'FROM busybox\nCOPY a b.sh d /many/\n', tree);
add('copy-json', 'FROM busybox\nCOPY ["e with space/f", "/with space/"]\n', tree);
add('copy-workdir', 'FROM busybox\nWORKDIR /w/x\nCOPY a .\nCOPY a ./y/\nCOPY a ../z\n', tree);
add(
  'copy-chown',
  'FROM busybox\nCOPY --chown=12:34 d /d\nCOPY --chown=7 a /seven\nCOPY --chown=nobody:nogroup a /n\n',
  {
    ...tree,
  },
);
add('copy-chmod', 'FROM busybox\nCOPY --chmod=755 a /x\nCOPY --chmod=0640 d /d\nCOPY --chmod=u=rwX,go=rX d /s\n', tree);
add('copy-exclude', 'FROM busybox\nCOPY --exclude=*.txt --exclude=e d /d\n', tree);
add('copy-link', 'FROM busybox\nCOPY --link a /x/y/\nCOPY --link d /d\n', tree);
add(
  'copy-from-stage',
  'FROM busybox AS one\nRUN echo 1 > /1 && mkdir /o && chown 3:4 /1 /o\nFROM scratch\nCOPY --from=one /1 /o /dest/\n',
);
add('copy-from-number', 'FROM busybox\nRUN echo 1 > /1\nFROM busybox\nCOPY --from=0 /1 /2\n');
add('copy-from-image', 'FROM scratch\nCOPY --from=busybox /bin/busybox /sh\n');
add(
  'copy-heredoc',
  'FROM busybox\nARG A=b\nCOPY <<one <<"two" /h/\nx $A\none\ny $A\ntwo\nCOPY --chmod=700 <<EOF /s.sh\n#!/bin/sh\nEOF\n',
);
add('copy-symlink-dest', 'FROM busybox\nRUN mkdir /real && ln -s /real /ln\nCOPY a /ln/\nCOPY d /ln/d\n', tree);
add('copy-over', 'FROM busybox\nCOPY a /f\nCOPY b.sh /f\nRUN rm /f\nCOPY a /f\n', tree);
add('copy-ignore', 'FROM busybox\nCOPY . /c\n', { ...tree, '.dockerignore': '# no\nd/*\n!d/x\n**/f\n' });
add('copy-ignore-dirs', 'FROM busybox\nCOPY . /c\n', { ...tree, '.dockerignore': 'd\nDockerfile\n.dockerignore\n' });
add('copy-modes', 'FROM busybox\nCOPY m /m\n', {
  'm/s': { content: 's', mode: 0o4755 },
  'm/r': { content: '', mode: 0o400 },
});
add('add-file', 'FROM busybox\nADD a /x\nADD d /d/\n', tree);
add('workdir', 'FROM busybox\nWORKDIR /a\nWORKDIR b\nWORKDIR ../c\nRUN pwd > f\nWORKDIR /tmp\n');
add('workdir-user', 'FROM busybox\nUSER 5:6\nWORKDIR /owned/deep\n');
add(
  'config-all',
  `
FROM busybox
MAINTAINER me <me@example.com>
LABEL a=1 "b c"="d e" f='g $X'
ENV P=/p Q=$PATH
EXPOSE 80 443/udp 7000-7002
VOLUME /v1 /v2
VOLUME ["/v3"]
USER nobody
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=3s --start-period=1m --retries=2 CMD wget -q localhost || exit 1
ONBUILD RUN echo child
SHELL ["/bin/ash", "-c"]
ENTRYPOINT ["/bin/echo", "hi"]
CMD there $P
`,
);
add('config-healthcheck', 'FROM busybox\nHEALTHCHECK CMD ["true"]\nHEALTHCHECK NONE\n');
add('config-entrypoint-clears', 'FROM busybox\nENTRYPOINT echo\n');
add('config-cmd-kept', 'FROM busybox\nCMD ["x"]\nENTRYPOINT ["echo"]\n');
add('config-inherit', 'FROM busybox AS base\nENV A=1\nLABEL l=1\nCMD ["a"]\nFROM base\nENV B=$A\nLABEL m=2\n');
add(
  'args',
  'ARG T=latest\nFROM busybox:$T\nARG T\nARG A=1\nARG B=${A}2\nARG C\nENV D=$B\nRUN echo "$T $A $B $C $D" > /args\n',
  {},
  {
    buildArgs: { C: 'given', A: 'over' },
  },
);
add(
  'args-platform',
  'FROM --platform=$BUILDPLATFORM busybox\nARG TARGETPLATFORM\nARG TARGETARCH\nARG BUILDOS\nRUN echo $TARGETPLATFORM $TARGETARCH $BUILDOS > /p\n',
);
add('args-env-wins', 'FROM busybox\nARG A=arg\nENV A=env\nRUN echo $A > /a\n', {}, { buildArgs: { A: 'cli' } });
add(
  'args-proxy',
  'FROM busybox\nRUN echo "$HTTP_PROXY" > /p\n',
  {},
  { buildArgs: { HTTP_PROXY: 'http://127.0.0.1:9' } },
);
add(
  'expansion',
  `
FROM busybox
ENV A=hello.tar.gz E=
ENV B=\${A%.*} C=\${A%%.*} D=\${A#*.} F=\${A##*.} G=\${A/l/L} H=\${A//l/L}
ENV I=\${E:-def} J=\${E-def} K=\${A:+set} L=\${U:-\${A}} M="a\\$A" N='$A' O=\\$A
RUN env | sort > /env
`,
);
add('escape-directive', '# escape=`\nFROM busybox\nRUN echo a `\n  b > /x\nENV P=C:\\dir\n');
add('comments', '# hi\n#syntax nothing\nFROM busybox\nRUN echo a \\\n# comment\n  b \\\n\n  c > /x\n');
add('case-insensitive', 'from busybox as Base\nrun echo x > /x\nFrom BASE\nrun echo y > /y\n');
add('target', 'FROM busybox AS one\nRUN echo 1 > /1\nFROM busybox AS two\nRUN false\n', {}, { target: 'one' });
add('unused-stage', 'FROM busybox AS broken\nRUN false\nFROM busybox\nRUN echo ok > /ok\n');
add('onbuild-copied', 'FROM busybox\nONBUILD COPY a /a\nONBUILD RUN echo x > /x\n', tree);
add('shell', 'FROM busybox\nSHELL ["/bin/sh", "-xc"]\nRUN echo $- > /flags\nCMD run\n');
add('scratch', 'FROM scratch\nCOPY a /\nCMD ["/a"]\n', tree);
add(
  'long-names',
  `FROM busybox\nRUN mkdir -p /${'l'.repeat(120)}/${'m'.repeat(120)} && touch /${'l'.repeat(120)}/${'m'.repeat(120)}/ünï\n`,
);

// Faults: what is compared is the error.
add('error-unknown', 'FROM busybox\nRUNN echo\n');
add('error-run', 'FROM busybox\nRUN echo bad >&2; exit 3\n');
add('error-missing', 'FROM busybox\nCOPY nothere /x\n');
add('error-flag', 'FROM busybox\nCOPY --chonw=1 a /a\n', tree);
add('error-empty', '# nothing\n');
add('error-no-from', 'RUN true\n');
add('error-args', 'FROM busybox\nCOPY onlyone\n');
add('error-dest', 'FROM busybox\nCOPY a b.sh /x\n', tree);
add('error-target', 'FROM busybox AS one\n', {}, { target: 'onn' });
add('error-heredoc', 'FROM busybox\nRUN <<EOF\necho\n');
add('error-expansion', 'FROM busybox\nENV A=${B\n');
add('error-required', 'FROM busybox\nENV A=${B:?is needed}\n');

export { cases };
