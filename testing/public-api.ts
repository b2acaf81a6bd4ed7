/**
 * Reads the public names and types of the package's entries from the source, as text that a person can
 * compare: `spec/public-api.txt`. It works on syntax alone, which takes less than a second. So every public
 * function, method and accessor must state its type.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The entries that package.json lists in `exports`, by the name that users import. */
export const ENTRIES: Readonly<Record<string, string>> = {
  'graphene-points': 'lib/index.ts',
  'graphene-points/mocks': 'mocks/index.ts',
  'graphene-points/mocks/nock': 'mocks/nock.ts',
};

/** One exported name: the file and the name under which it is declared, and its text. */
export interface PublicName {
  name: string;
  file: string;
  declaredAs: string;
  isDeprecated: boolean;
  /** Whether its docstring has an `@example`. */
  hasExample: boolean;
  /** The declaration without bodies, comments and private members. */
  text: string;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TITLE = `Public names and types of each entry. \`npm run api\` writes this file; spec/public-api.spec.ts compares it with the source.`;

type Declaration = ts.Statement | ts.VariableDeclaration;
/** Where a name comes from: a declaration of the same file, or a name of another file. */
interface Import {
  file: string;
  name: string;
}

/** One source file: what it declares, and what it imports or exports from other files of the project. */
class Module {
  readonly declarations = new Map<string, Declaration[]>();
  readonly imports = new Map<string, Import>();
  /** Names in the order of the file, with the name in the file of origin. */
  readonly exports: { name: string; from?: Import; isTypeOnly: boolean }[] = [];
  readonly source: ts.SourceFile;

  constructor(readonly file: string) {
    this.source = ts.createSourceFile(
      file,
      readFileSync(posix.join(ROOT, file), 'utf8'),
      ts.ScriptTarget.ES2022,
      true,
    );
    for (const statement of this.source.statements) this.#read(statement);
  }

  #read(statement: ts.Statement): void {
    if (ts.isImportDeclaration(statement)) {
      const file = this.#target(statement.moduleSpecifier);
      const bindings = statement.importClause?.namedBindings;
      if (file && bindings && ts.isNamedImports(bindings))
        for (const { name, propertyName } of bindings.elements)
          this.imports.set(name.text, { file, name: (propertyName ?? name).text });
      return;
    }
    if (ts.isExportDeclaration(statement)) {
      const file = statement.moduleSpecifier && this.#target(statement.moduleSpecifier);
      if (!statement.exportClause || !ts.isNamedExports(statement.exportClause))
        throw new Error(`${this.file}: \`export *\` hides which names are public`);
      for (const { name, propertyName, isTypeOnly } of statement.exportClause.elements)
        this.exports.push({
          name: name.text,
          from: file === undefined ? undefined : { file, name: (propertyName ?? name).text },
          isTypeOnly: isTypeOnly || statement.isTypeOnly,
        });
      return;
    }
    const declared: [string, Declaration][] = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map((declaration) => [declaration.name.getText(), declaration])
      : isNamed(statement)
        ? [[statement.name.text, statement]]
        : [];
    const isExported = ts.canHaveModifiers(statement) && hasModifier(statement, ts.SyntaxKind.ExportKeyword);
    for (const [name, declaration] of declared) {
      const before = this.declarations.get(name);
      this.declarations.set(name, [...(before ?? []), declaration]);
      if (isExported && !before) this.exports.push({ name, isTypeOnly: false });
    }
  }

  #target(specifier: ts.Expression): string | undefined {
    const path = (specifier as ts.StringLiteral).text;
    return path.startsWith('.') ? posix.join(posix.dirname(this.file), path) : undefined;
  }
}

const isNamed = (
  node: ts.Node,
): node is
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | (ts.ClassDeclaration & { name: ts.Identifier })
  | (ts.FunctionDeclaration & { name: ts.Identifier }) =>
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ((ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node)) && node.name !== undefined);

const hasModifier = (node: ts.HasModifiers, kind: ts.SyntaxKind): boolean =>
  ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) ?? false;

const modules = new Map<string, Module>();
const moduleOf = (file: string): Module => {
  const known = modules.get(file) ?? new Module(file);
  modules.set(file, known);
  return known;
};

/** Follows a name to the file that declares it. */
function originOf(file: string, name: string): { file: string; name: string } | undefined {
  const module = moduleOf(file);
  if (module.declarations.has(name)) return { file, name };
  const from = module.imports.get(name) ?? module.exports.find((other) => other.name === name)?.from;
  return from && originOf(from.file, from.name);
}

const { factory } = ts;
const printer = ts.createPrinter({ removeComments: true });
const print = (node: ts.Node, source: ts.SourceFile): string =>
  printer.printNode(ts.EmitHint.Unspecified, node, source);

/** Turns the declarations of one name into their public form; collects the types that are not stated. */
class Surface {
  readonly untyped: string[] = [];

  constructor(
    readonly module: Module,
    readonly isTypeOnly: boolean,
  ) {}

  textOf(name: string): string {
    const declarations = this.module.declarations.get(name)!;
    // With overloads, the implementation is not public.
    const isOverloaded = declarations.filter(ts.isFunctionDeclaration).length > 1;
    return declarations
      .filter((node) => !(isOverloaded && ts.isFunctionDeclaration(node) && node.body))
      .map((node) => print(this.#declaration(node), this.module.source))
      .join('\n');
  }

  #declaration(node: Declaration): ts.Node {
    if (ts.isFunctionDeclaration(node)) return this.#function(node.name!, node);
    if (ts.isInterfaceDeclaration(node))
      return factory.updateInterfaceDeclaration(
        node,
        [],
        node.name,
        node.typeParameters,
        node.heritageClauses,
        sorted(node.members.filter(isPublic)),
      );
    if (ts.isTypeAliasDeclaration(node))
      return factory.updateTypeAliasDeclaration(node, [], node.name, node.typeParameters, node.type);
    if (ts.isClassDeclaration(node)) return this.#class(node);
    if (ts.isVariableDeclaration(node)) return this.#variable(node);
    throw new Error(`${this.module.file}: ${ts.SyntaxKind[node.kind]} is not expected here`);
  }

  #variable(node: ts.VariableDeclaration): ts.Node {
    const value = node.initializer;
    if (value && ts.isArrowFunction(value) && !node.type)
      return this.#function(node.name as ts.Identifier, value);
    const declaration = factory.createVariableDeclaration(
      node.name,
      undefined,
      node.type,
      node.type || !value ? undefined : outlineOf(value),
    );
    return factory.createVariableDeclarationList([declaration], ts.NodeFlags.Const);
  }

  #function(name: ts.Identifier, node: ts.FunctionDeclaration | ts.ArrowFunction): ts.Node {
    return factory.createFunctionDeclaration(
      undefined,
      undefined,
      name,
      node.typeParameters,
      this.#parameters(node),
      this.#result(name, node),
      undefined,
    );
  }

  #class(node: ts.ClassDeclaration): ts.Node {
    const members = node.members.filter(
      (member) => isPublic(member) && !(this.isTypeOnly && isOfClass(member)),
    );
    const isOverload = (member: ts.ClassElement): boolean =>
      (ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member)) && !member.body;
    const overloaded = new Set(members.filter(isOverload).map(nameOf));
    const shown = members.filter((member) => !overloaded.has(nameOf(member)) || isOverload(member));
    const setters = new Set(members.filter(ts.isSetAccessor).map(nameOf));
    const written = shown.flatMap((member) => this.#member(member, setters) ?? []);
    const modifiers = ts.getModifiers(node)?.filter(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword);
    const properties = shown
      .filter(ts.isConstructorDeclaration)
      .flatMap(({ parameters }) =>
        parameters.flatMap((parameter) => this.#parameterProperty(parameter) ?? []),
      );
    return factory.updateClassDeclaration(
      node,
      modifiers,
      node.name,
      node.typeParameters,
      node.heritageClauses,
      sorted([...properties, ...written]),
    );
  }

  #member(node: ts.ClassElement, setters: ReadonlySet<string>): ts.ClassElement | undefined {
    const kept = (ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined)?.filter(({ kind }) =>
      KEPT.has(kind),
    );
    if (ts.isConstructorDeclaration(node))
      return factory.createConstructorDeclaration(kept, this.#parameters(node), undefined);
    if (ts.isMethodDeclaration(node))
      return factory.createMethodDeclaration(
        kept,
        undefined,
        node.name,
        node.questionToken,
        node.typeParameters,
        this.#parameters(node),
        this.#result(node.name, node),
        undefined,
      );
    if (ts.isGetAccessor(node)) {
      const modifiers = setters.has(nameOf(node))
        ? kept
        : [...(kept ?? []), factory.createModifier(ts.SyntaxKind.ReadonlyKeyword)];
      return factory.createPropertyDeclaration(
        modifiers,
        node.name,
        undefined,
        this.#result(node.name, node),
        undefined,
      );
    }
    if (ts.isPropertyDeclaration(node)) return this.#property(node, kept);
    return undefined;
  }

  #property(node: ts.PropertyDeclaration, modifiers: ts.Modifier[] | undefined): ts.ClassElement {
    const value = node.initializer;
    const literal =
      value && (ts.isStringLiteral(value) || ts.isNumericLiteral(value))
        ? factory.createLiteralTypeNode(value)
        : undefined;
    const type =
      node.type ??
      literal ??
      (value && ts.isNewExpression(value)
        ? factory.createTypeReferenceNode(value.expression.getText(), value.typeArguments)
        : undefined);
    if (!type) this.untyped.push(node.name.getText());
    return factory.createPropertyDeclaration(modifiers, node.name, node.questionToken, type, undefined);
  }

  /** A parameter such as `readonly code: Code` is a property of the class, too. */
  #parameterProperty(node: ts.ParameterDeclaration): ts.ClassElement | undefined {
    const modifiers = ts.getModifiers(node);
    if (!modifiers?.length || modifiers.some(({ kind }) => HIDDEN.has(kind))) return undefined;
    return factory.createPropertyDeclaration(
      modifiers.filter(({ kind }) => KEPT.has(kind)),
      node.name as ts.Identifier,
      node.questionToken,
      node.type,
      undefined,
    );
  }

  #parameters(node: ts.SignatureDeclaration): ts.ParameterDeclaration[] {
    return node.parameters.map((parameter) => {
      const { initializer } = parameter;
      const name = ts.isIdentifier(parameter.name) ? parameter.name : 'options';
      const implied =
        initializer && !parameter.type && ts.isNumericLiteral(initializer)
          ? factory.createKeywordTypeNode(ts.SyntaxKind.NumberKeyword)
          : undefined;
      const type = parameter.type ?? implied;
      if (!type) this.untyped.push(`${nameOf(node)}(${parameter.name.getText()})`);
      const question = initializer
        ? factory.createToken(ts.SyntaxKind.QuestionToken)
        : parameter.questionToken;
      return factory.createParameterDeclaration(undefined, parameter.dotDotDotToken, name, question, type);
    });
  }

  #result(name: ts.PropertyName, node: ts.SignatureDeclaration): ts.TypeNode | undefined {
    if (!node.type) this.untyped.push(`${name.getText()}()`);
    return node.type;
  }
}

const KEPT: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.ReadonlyKeyword,
  ts.SyntaxKind.StaticKeyword,
  ts.SyntaxKind.AbstractKeyword,
  ts.SyntaxKind.ProtectedKeyword,
]);
const HIDDEN: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.PrivateKeyword,
  ts.SyntaxKind.ProtectedKeyword,
]);

const nameOf = (node: ts.Node & { name?: ts.Node }): string =>
  node.name?.getText() ?? ts.SyntaxKind[node.kind];

function isPublic(node: ts.ClassElement | ts.TypeElement): boolean {
  if (node.name && ts.isPrivateIdentifier(node.name)) return false;
  if (ts.isClassStaticBlockDeclaration(node) || ts.isSemicolonClassElement(node)) return false;
  if (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => HIDDEN.has(kind))) return false;
  return !ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');
}

/** Constructors and static members belong to the class itself, which `export type` does not export. */
const isOfClass = (node: ts.ClassElement): boolean =>
  ts.isConstructorDeclaration(node) ||
  (ts.canHaveModifiers(node) && hasModifier(node, ts.SyntaxKind.StaticKeyword));

/** Sorts members by name, as their order does not matter; overloads keep theirs. */
const sorted = <Member extends ts.ClassElement | ts.TypeElement>(members: readonly Member[]): Member[] => {
  const key = (member: Member): string => member.name?.getText() ?? '';
  return [...members].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
};

/**
 * The keys and plain values of a constant whose type is inferred. A function or a sentence in it is left out,
 * as only its key counts.
 */
function outlineOf(value: ts.Expression): ts.Expression {
  if (ts.isAsExpression(value)) return factory.createAsExpression(outlineOf(value.expression), value.type);
  if (ts.isSatisfiesExpression(value)) return outlineOf(value.expression);
  const isProse = ts.isStringLiteral(value) && value.text.includes(' ');
  if (isProse || ts.isArrowFunction(value)) return factory.createIdentifier('…');
  if (!ts.isObjectLiteralExpression(value)) return value;
  return factory.createObjectLiteralExpression(
    value.properties.map((property) =>
      ts.isPropertyAssignment(property)
        ? factory.createPropertyAssignment(property.name, outlineOf(property.initializer))
        : property,
    ),
    true,
  );
}

/** Names of the types and constants that a declaration's public form refers to. */
function referencesOf(text: string): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node)) names.add(leftmost(node.typeName));
    else if (ts.isTypeQueryNode(node)) names.add(leftmost(node.exprName));
    else if (ts.isExpressionWithTypeArguments(node) && ts.isIdentifier(node.expression))
      names.add(node.expression.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('surface.ts', text, ts.ScriptTarget.ES2022, true));
  return names;
}

const leftmost = (name: ts.EntityName): string => (ts.isIdentifier(name) ? name.text : leftmost(name.left));

/** What states no type, over all names read so far. */
const untyped = new Set<string>();

const surfaceOf = (file: string, name: string, isTypeOnly: boolean): string => {
  const surface = new Surface(moduleOf(file), isTypeOnly);
  const text = surface.textOf(name);
  for (const place of surface.untyped) untyped.add(`${file}: ${name}: ${place}`);
  return text;
};

/** The names that an entry exports, sorted. */
export function publicNames(entry: string): PublicName[] {
  const names = moduleOf(entry).exports.map(({ name, from, isTypeOnly }) => {
    const origin = from ? originOf(from.file, from.name) : originOf(entry, name);
    if (!origin) throw new Error(`${entry}: ${name} is not declared in this project`);
    const declaration = moduleOf(origin.file).declarations.get(origin.name)![0];
    return {
      name,
      file: origin.file,
      declaredAs: origin.name,
      isDeprecated: ts.getJSDocDeprecatedTag(declaration) !== undefined,
      hasExample: ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'example'),
      text: surfaceOf(origin.file, origin.name, isTypeOnly),
    };
  });
  return names.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Types that public declarations refer to and no entry exports: they are part of the shapes. */
function hiddenTypes(exported: readonly PublicName[]): string[] {
  const keyOf = (origin: { file: string; name: string }): string => `${origin.file}: ${origin.name}`;
  const seen = new Set(exported.map(({ file, declaredAs }) => keyOf({ file, name: declaredAs })));
  const found: { name: string; text: string }[] = [];
  const queue = exported.map(({ file, text }) => ({ file, text }));
  for (let next = queue.pop(); next; next = queue.pop()) {
    for (const name of referencesOf(next.text)) {
      const origin = originOf(next.file, name);
      if (!origin || seen.has(keyOf(origin))) continue;
      seen.add(keyOf(origin));
      const text = surfaceOf(origin.file, origin.name, true);
      found.push({ name: origin.name, text });
      queue.push({ file: origin.file, text });
    }
  }
  return found
    .sort((a, b) => (a.name < b.name || (a.name === b.name && a.text < b.text) ? -1 : 1))
    .map(({ text }) => text);
}

/** The text of `spec/public-api.txt`. */
export function publicApi(): string {
  const entries = Object.entries(ENTRIES).map(([entry, file]) => ({ entry, names: publicNames(file) }));
  const sections = entries.map(({ entry, names }) => [
    `# ${entry}`,
    ...names.map(({ name, declaredAs, isDeprecated, text }) =>
      [
        ...(isDeprecated ? ['// deprecated'] : []),
        ...(name === declaredAs ? [] : [`// exported as ${name}`]),
        text,
      ].join('\n'),
    ),
  ]);
  const hidden = [
    '# Types that these refer to, and that are not exported',
    ...hiddenTypes(entries.flatMap(({ names }) => names)),
  ];
  if (untyped.size > 0) throw new Error(`state these public types:\n${[...untyped].join('\n')}`);
  return `${[TITLE, ...[...sections, hidden].map((section) => section.join('\n\n'))].join('\n\n')}\n`;
}
